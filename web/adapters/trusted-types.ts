// The site's policy demands Trusted Types: no text becomes markup or script, whoever sent it. What is left to decide is which addresses
// Workers may be started from: this site's own.

/** Subset of TrustedTypePolicyFactory (Chromium; Firefox from 148 on). */
interface Factory {
  createPolicy(name: 'default', rules: { createScriptURL(address: string): string | null }): unknown;
}

export interface TrustedTypesHost {
  readonly trustedTypes?: Factory;
  readonly location: { readonly href: string; readonly origin: string };
}

/** To be called once, before the first Worker is made. */
export function trustOwnScripts(host: TrustedTypesHost = globalThis as unknown as TrustedTypesHost): void {
  host.trustedTypes?.createPolicy('default', { createScriptURL: (address) => (isOwn(address, host.location) ? address : null) });
}

function isOwn(address: string, { href, origin }: TrustedTypesHost['location']): boolean {
  try {
    const url = new URL(address, href);
    return url.origin === origin && (url.protocol === 'https:' || url.protocol === 'http:');
  } catch {
    return false;
  }
}
