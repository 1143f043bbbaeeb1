// The tasks of a page's thread, from Chromium's trace.

/** The CPU time of the longest task between performance.mark("begin") and performance.mark("end"), in ms. */
export function longestTask(trace) {
  const { traceEvents } = JSON.parse(trace);
  const mark = (name) => traceEvents.find((event) => event.cat === "blink.user_timing" && event.name === name);
  const [begin, end] = [mark("begin"), mark("end")];
  const tasks = traceEvents.filter(
    ({ name, pid, tid, ts }) =>
      name === "RunTask" && pid === begin.pid && tid === begin.tid && ts >= begin.ts && ts <= end.ts,
  );
  // tdur: time of the thread itself, in microseconds; waiting for other programs does not count.
  return { count: tasks.length, longest: Math.max(...tasks.map(({ tdur }) => tdur)) / 1000 };
}
export const CATEGORIES = [
  "toplevel",
  "devtools.timeline",
  "disabled-by-default-devtools.timeline",
  "blink.user_timing",
];
