// Asks before this browser goes into another network: whoever donates is interrupted by it.
import { useId, useState } from 'react';
import { networkTitleCharsMax, networkTitleOf, type KnownNetwork } from '../../kernel/lib/invite.ts';
import { Confirm } from '../pieces/confirm.tsx';
import { useDeps, useSnapshot } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { useInvite } from './source.ts';
import { movingWords, titleOf } from './wording.ts';

export function MoveDialog({ to, title, action, onNo }: { to: KnownNetwork | null; title: string; action: string; onNo: () => void }) {
  const { profile } = useDeps();
  return (
    <Confirm title={title} action={action} yes={() => profile.moveTo(to)} onNo={onNo}>
      <MovingWords to={to} />
    </Confirm>
  );
}

function MovingWords({ to }: { to: KnownNetwork | null }) {
  const { profile } = useDeps();
  const donating = useSnapshot((snapshot) => snapshot.resources?.value.donating ?? false);
  return (
    <ul className="confirm-words sm">
      {movingWords(profile.network, to, donating).map((words) => (
        <li key={words}>{words}</li>
      ))}
    </ul>
  );
}

/** On whatever page the link led to. */
export function InviteQuestion() {
  const { profile } = useDeps();
  const invite = useInvite();
  if (invite === null) return null;
  if (invite.kind === 'damaged') {
    return (
      <Notice tone="coral">
        That invite link is not complete: ask for it again, or copy all of it.{' '}
        <button type="button" className="link" onClick={() => profile.invite.refuse()}>
          All right
        </button>
      </Notice>
    );
  }
  const { network, known } = invite;
  return known ? (
    <MoveDialog
      to={network}
      title={`Go back to ${titleOf(network)}, a private network?`}
      action="Go there"
      onNo={() => profile.invite.refuse()}
    />
  ) : (
    <JoinDialog key={network.network} network={network} />
  );
}

function JoinDialog({ network }: { network: KnownNetwork }) {
  const { profile } = useDeps();
  const id = useId();
  const [name, setName] = useState(network.name);
  const named = { ...network, name: networkTitleOf(name) };
  return (
    <Confirm
      title="You are invited to a private network"
      action="Join"
      yes={() => profile.moveTo(named)}
      onNo={() => profile.invite.refuse()}
    >
      <div className="field">
        <label htmlFor={id}>What you call it</label>
        <input
          id={id}
          type="text"
          value={name}
          maxLength={networkTitleCharsMax}
          autoComplete="off"
          aria-describedby={`${id}-hint`}
          onChange={(event) => setName(event.target.value)}
        />
        <span id={`${id}-hint`} className="hint">
          Whoever made the link suggested that; only you see what you call it. Everybody with the link is in the network: join if you know
          who sent it.
        </span>
      </div>
      <MovingWords to={named} />
    </Confirm>
  );
}
