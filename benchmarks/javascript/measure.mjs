// Timing, in Node and in pages.
import { load } from "./engines.mjs";

const now = () => performance.now();

/**
 * Milliseconds of a call: { NAME: { rounds: [...], vector } } for the entries { NAME: options of an engine }. In each
 * round each engine has one turn, in an order that changes: a call that is not timed, then calls for `turn` ms.
 */
export async function compare(entries, { rounds, turn, warmUp }) {
  const loaded = new Map();
  for (const [name, entry] of Object.entries(entries)) loaded.set(name, await load(entry));
  const found = {};
  for (const [name, engine] of loaded) {
    await calls(engine, warmUp);
    found[name] = { rounds: [], vector: engine.vector(await engine.run()) };
  }
  const names = [...loaded.keys()];
  for (let round = 0; round < rounds; ++round) {
    for (let i = 0; i < names.length; ++i) {
      const name = names[(i * (round % 2 ? names.length - 1 : 1) + round) % names.length];
      await loaded.get(name).run();
      found[name].rounds.push(await calls(loaded.get(name), turn));
    }
  }
  for (const engine of loaded.values()) await engine.close();
  return found;
}

/** The mean of the calls that fill so many milliseconds, at least one. */
async function calls(engine, milliseconds) {
  const begin = now();
  for (let count = 1; ; ++count) {
    await engine.run();
    const time = now() - begin;
    if (time >= milliseconds) return time / count;
  }
}

/** Milliseconds from importing the engine's package to its first result. */
export async function first(entry) {
  const begin = now();
  await (await load(entry)).run();
  return now() - begin;
}
