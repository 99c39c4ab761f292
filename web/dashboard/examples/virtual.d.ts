/** Made by sdk/remote/sdk-plugin.ts from docs/SDK.md. */
declare module 'virtual:sdk-examples' {
  export interface SdkExample {
    /** The heading it stands under. */
    readonly title: string;
    readonly language: 'html' | 'js' | 'sh';
    /** With the site as `https://lull.example`. */
    readonly code: string;
  }
  export const sdkExamples: readonly SdkExample[];
}
