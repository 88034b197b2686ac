// Parts of a recording, as the server gives them, at whatever fineness is in sight: level n has 2^n seconds a bin. While
// a part is on its way, what is known more coarsely is drawn in its place.

export const BINS = 512;  // of a tile
const AT_ONCE = 3;  // tiles that are asked for
const AGAIN = 800;  // milliseconds, after which an unfinished tile is asked for again
const BUSY = 3000;  // milliseconds, after a server that has much to do said so

export const finest = (seconds, pixels, least = -10) => Math.max(least, Math.floor(Math.log2(seconds / pixels)));

export class Tiles {
  // `load({start, end, bins})` gives a tile; `loaded(tile)` and `failed(refusal)` are told; `most` are kept.
  constructor(load, loaded, failed, most) {
    Object.assign(this, { load, loaded, failed, most, kept: new Map(), asked: new Set(), wanted: [], broken: false });
  }

  // What is known of a part, finest first asked for: [{tile, from, to}], where the tile is drawn from `from` to `to`.
  of(start, end, total, level) {
    const size = BINS * 2 ** level;
    const parts = [];
    for (let index = Math.floor(start / size); index * size < Math.min(end, total); index++) {
      const tile = this.want(level, index);
      const from = index * size, to = from + size;
      if (tile) parts.push({ tile, from, to });
      else {
        const coarse = this.coarser(level, index, total);
        if (coarse) parts.push({ tile: coarse, from, to });
      }
    }
    this.next();
    return parts;
  }

  // What was wanted until now is no longer, if it was not asked for.
  forget() { this.wanted = []; }

  want(level, index) {
    const key = `${level}:${index}`;
    const tile = this.kept.get(key);
    if (tile) {
      this.kept.delete(key);  // to the end: it was used last
      this.kept.set(key, tile);
    }
    const missing = !tile || (tile.ready < tile.end && performance.now() - tile.at > AGAIN);
    if (missing && !this.wanted.some((one) => one.key === key)) this.wanted.push({ key, level, index });
    return tile;
  }

  coarser(level, index, total) {
    for (let up = 1; BINS * 2 ** (level + up - 1) < total; up++) {
      const tile = this.kept.get(`${level + up}:${Math.floor(index / 2 ** up)}`);
      if (tile) return tile;
    }
    return null;
  }

  // Those that were wanted last come first; what is no longer wanted is never asked for.
  next() {
    while (!this.broken && this.asked.size < AT_ONCE && this.wanted.length) {
      const one = this.wanted.shift();
      if (!this.asked.has(one.key)) this.ask(one);
    }
  }

  async ask({ key, level, index }) {
    this.asked.add(key);
    const start = index * BINS * 2 ** level, end = start + BINS * 2 ** level;
    try {
      const tile = await this.load({ start, end, bins: BINS });
      Object.assign(tile, { start, end, at: performance.now() });
      tile.ready ??= end;
      this.kept.delete(key);
      this.kept.set(key, tile);
      for (const old of this.kept.keys()) {
        if (this.kept.size <= this.most) break;
        this.kept.delete(old);
      }
      this.loaded(tile);
    } catch (refusal) {
      if (refusal.status === 503 || refusal.status === 0) await new Promise((done) => { setTimeout(done, BUSY); });
      else this.broken = true;
      this.failed(refusal);
    } finally {
      this.asked.delete(key);
      this.next();
    }
  }
}
