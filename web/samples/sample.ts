/** A job that anybody can try: what the New job page fills its form with, and what the demo submits. */
export interface Sample {
  readonly id: string;
  readonly name: string;
  /** One sentence for the button. */
  readonly about: string;
  /** An ES module; runs in the sandbox, so it sees nothing but its arguments. */
  readonly code: string;
  readonly reduce: string | null;
  readonly args: unknown;
  readonly input:
    | { readonly kind: 'file'; readonly path: string; readonly fileName: string }
    | { readonly kind: 'range'; readonly range: readonly [first: number, end: number] };
}
