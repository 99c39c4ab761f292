// The two finite fields the code works in. Part of the wire format: another polynomial gives other parity.

export interface Field {
  /** log2 of the number of elements. */
  readonly bits: 4 | 8;
  multiply(a: number, b: number): number;
  /** @throws RangeError for 0 */
  inverse(a: number): number;
  /** Ones of the bit matrix that multiplies by `a`: the XORs that `a` costs in a Cauchy code over bits. */
  ones(a: number): number;
}

/**
 * GF(2^bits) by logarithms to the base x, which generates the multiplicative group of both polynomials used here.
 * @param polynomial the irreducible polynomial, its highest bit included
 */
function fieldOf(bits: 4 | 8, polynomial: number): Field {
  const order = 2 ** bits - 1;
  const powers = new Uint8Array(2 * order);
  const logs = new Uint8Array(order + 1);
  for (let exponent = 0, value = 1; exponent < order; exponent++) {
    powers[exponent] = powers[exponent + order] = value;
    logs[value] = exponent;
    value <<= 1;
    if (value > order) value ^= polynomial;
  }
  const multiply = (a: number, b: number) => (a === 0 || b === 0 ? 0 : powers[logs[a]! + logs[b]!]!);
  const ones = Uint8Array.from({ length: order + 1 }, (_, a) => {
    let count = 0;
    for (let bit = 0; bit < bits; bit++) for (let rest = multiply(a, 1 << bit); rest > 0; rest >>= 1) count += rest & 1;
    return count;
  });
  return {
    bits,
    multiply,
    inverse(a) {
      if (a === 0) throw new RangeError('0 has no inverse');
      return powers[order - logs[a]!]!;
    },
    ones: (a) => ones[a]!,
  };
}

/** x^4 + x + 1 */
export const field16 = fieldOf(4, 0x13);
/** x^8 + x^4 + x^3 + x^2 + 1 */
export const field256 = fieldOf(8, 0x11d);

export const slicesMax = 255;

/** The field of a code with `n` slices. */
export const fieldFor = (n: number): Field => (n <= 16 ? field16 : field256);
