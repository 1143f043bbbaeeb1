package io.github.mobilebert_rt;

/** One token, with offsets in bytes (mbrt_token). */
record TokenBytes(int id, int type, int part, int word, long begin, long end) {}
