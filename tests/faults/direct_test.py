"""Kills, full disks, failing scripts and odd downloads while packages are unpacked straight into the environment."""

import early_extraction_test
import kill_test
import rollback_test
from taipan_test import main


class DirectKillTest(kill_test.KillTest):
    # Nothing is unpacked in these.
    test_remove = test_remove_the_whole_environment = test_create_over_another_environment = None
    test_a_journal_of_a_living_process_is_left_alone = None

    def setUp(self):
        super().setUp()
        self.environment["CONDA_DIRECT"] = "true"


class DirectRollbackTest(rollback_test.RollbackTest):
    test_the_disk_of_the_cache_is_full = None  # there is no cache

    def setUp(self):
        super().setUp()
        self.environment["CONDA_DIRECT"] = "true"


class DirectEarlyExtractionTest(early_extraction_test.EarlyExtractionTest):
    def setUp(self):
        super().setUp()
        self.environment["CONDA_DIRECT"] = "true"

    def staged(self):
        return [path for path in self.prefix.glob("conda-meta/.taipan-trash/.taipan-big-*/share/*")
                if path.stat().st_size > 0]

    def assert_made(self):
        super().assert_made()
        self.assertFalse(self.cache.exists())
        self.assertEqual(list(self.prefix.rglob(".taipan*")), [])


class DirectEarlyExtractionOfTarTest(DirectEarlyExtractionTest):
    extension = ".tar.bz2"


if __name__ == "__main__":
    main()
