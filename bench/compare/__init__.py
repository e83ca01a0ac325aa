"""The modules of bench/compare.py.

    main        options, and the order of everything
    contenders  how taipan and each peer are told to do the same work
    survey      what the environment consists of; what the floors need is made from it
    floors      the same bytes and files by curl, zstd, bzip2, tar, cp and CPython's compileall
    works       what is measured: what must be there before, what is timed
    turns       runs the contenders in turns, compares what they made, counts system calls
    runner      a small process of its own: starts one command, takes its time, CPU and memory
    network     nginx on loopback, or behind a link with a rate and a delay
    wire        that link: two network namespaces and a process that passes the packets on
    trees       are two environments the same?
    report      medians, ratios, tables, JSON, README sections
    plots       bars as SVG
"""
