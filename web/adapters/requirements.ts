// What Lull cannot do without, in the words of a person: what is missing and what to do about it.

export interface Problem {
  readonly what: string;
  readonly toDo: string;
}

/** undefined where this browser, on this origin, has all that is needed. */
export function missingFeature(): Problem | undefined {
  if (!isSecureContext) {
    return {
      what: 'Lull cannot work on this address',
      toDo: `Browsers allow what Lull needs only on https and on localhost. Open the site by https, or ask whoever runs it to set TLS_CERT and TLS_KEY.`,
    };
  }
  if (typeof RTCPeerConnection === 'undefined') {
    return {
      what: 'This browser has no WebRTC',
      toDo: 'Tabs talk to each other by it. Use a current Chromium, Firefox or Safari, and see whether an extension or a policy turns WebRTC off.',
    };
  }
  if (typeof Worker === 'undefined' || typeof WebAssembly === 'undefined' || crypto.subtle === undefined) {
    return { what: 'This browser is too old for Lull', toDo: 'Use a current Chromium, Firefox or Safari.' };
  }
  return undefined;
}
