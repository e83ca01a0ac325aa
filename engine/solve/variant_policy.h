#pragma once

/*
 * Which packages of one name libsolv considers further: our part of its policy, compiled into it (cmake/libsolv.cmake).
 *
 * The libsolv that conda and mamba ship keeps all variants of the best version and build number, in an order of its
 * own. That matters beyond which one is tried first: a choice between several is put off until others are made. libsolv
 * as it is keeps one; so the order, and who ties with whom, is given to it by solvable id.
 *
 * Before that the channel's priority counts, as with them: of what is left of a name, only the packages of the highest
 * channel stay, and what is installed. What is installed and still offered by its channel counts for that channel: for
 * them it is there twice, for us once.
 */

#include <stdint.h>

/* What pool->appdata points to. */
struct taipan_variants {
    const uint32_t* ranks;     /* by solvable id: the higher, the better, among those of one name */
    const uint32_t* ties;      /* by solvable id: equal for variants of one name, version and build number */
    const int32_t* priorities; /* by solvable id: of the channel; all the same where priority is disabled */
};

#ifdef LIBSOLV_INTERNAL

static int taipan_compare_variants(const void* ap, const void* bp, void* dp) {
    const Pool* pool = dp;
    const struct taipan_variants* variants = pool->appdata;
    const Id a = *(const Id*)ap, b = *(const Id*)bp;
    const Solvable *sa = pool->solvables + a, *sb = pool->solvables + b;
    if (sa->name != sb->name) return sa->name < sb->name ? -1 : 1;
    if (variants->ranks[a] != variants->ranks[b]) return variants->ranks[a] > variants->ranks[b] ? -1 : 1;
    return a - b;
}

static void taipan_keep_highest_channel(Pool* pool, Queue* list, const int32_t* priorities) {
    int i, kept = 0, highest = priorities[list->elements[0]];
    for (i = 1; i < list->count; i++)
        if (priorities[list->elements[i]] > highest) highest = priorities[list->elements[i]];
    for (i = 0; i < list->count; i++) {
        const Id one = list->elements[i];
        if (priorities[one] == highest || (pool->installed && pool->solvables[one].repo == pool->installed))
            list->elements[kept++] = one;
    }
    list->count = kept;
}

/* Reduces the list to the best variants of each name, the best first. Returns 0 where nothing is known of variants. */
static int taipan_keep_variants(Pool* pool, Queue* list) {
    const struct taipan_variants* variants = pool->appdata;
    Id best;
    int i, kept = 1;
    if (!variants) return 0;
    if (list->count < 2) return 1;
    taipan_keep_highest_channel(pool, list, variants->priorities);
    solv_sort(list->elements, list->count, sizeof(Id), taipan_compare_variants, pool);
    best = list->elements[0];
    for (i = 1; i < list->count; i++) {
        const Id one = list->elements[i];
        if (pool->solvables[one].name != pool->solvables[best].name)
            best = one;
        else if (variants->ties[one] != variants->ties[best])
            continue;
        list->elements[kept++] = one;
    }
    list->count = kept;
    return 1;
}

#endif
