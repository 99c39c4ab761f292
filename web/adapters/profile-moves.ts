// All tabs of a profile are one person in one network: when that changes in one tab, every tab is loaded again.

const channelName = 'lull-profile';

type Channel = Pick<BroadcastChannel, 'onmessage' | 'postMessage'>;

export interface ProfileMoves {
  /** Who or where the profile is was changed here: the other tabs are told, then this one is loaded again. */
  moved(): void;
}

export function profileMoves(reload: () => void = () => location.reload(), open: () => Channel | undefined = openChannel): ProfileMoves {
  const others = open();
  // The message never reaches the tab that sent it.
  if (others !== undefined) others.onmessage = reload;
  return {
    moved() {
      others?.postMessage('moved');
      reload();
    },
  };
}

const openChannel = () => (typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(channelName));
