// The engine counts bytes of UTF-8, JavaScript UTF-16 code units.

const encoder = new TextEncoder();

/** Converts ascending or descending byte offsets into one text. */
export class Utf16Offsets {
  private readonly bytes: Uint8Array | undefined;
  private byte = 0;
  private unit = 0;

  constructor(text: string) {
    const bytes = encoder.encode(text);
    // Only ASCII: the offsets are the same.
    if (bytes.length !== text.length) this.bytes = bytes;
  }

  at(offset: number): number {
    const { bytes } = this;
    if (bytes === undefined) return offset;
    if (offset < this.byte) this.byte = this.unit = 0;
    for (; this.byte < offset; ++this.byte) {
      const value = bytes[this.byte]!;
      // A character counts at its first byte; one of four bytes is a pair of surrogates.
      if (value >= 0xf0) this.unit += 2;
      else if ((value & 0xc0) !== 0x80) this.unit += 1;
    }
    return this.unit;
  }
}
