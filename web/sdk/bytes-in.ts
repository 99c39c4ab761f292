/** The bytes of a buffer, or of whatever view of one; undefined for anything else. */
export const bytesIn = (data: unknown): Uint8Array | undefined =>
  ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : data instanceof ArrayBuffer
      ? new Uint8Array(data)
      : undefined;
