package io.github.mobilebert_rt;

/** One result of a task, with offsets in bytes (mbrt_result). */
record Result(byte[] label, byte[] text, long begin, long end, long group, int id, float score) {}
