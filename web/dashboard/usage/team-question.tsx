import { useId, useState } from 'react';
import { networkTitleOf } from '../../kernel/lib/invite.ts';
import { teamTitleCharsMax, type Team } from '../../kernel/lib/team.ts';
import { Confirm } from '../pieces/confirm.tsx';
import { useDeps } from '../shell/deps.ts';
import { Notice } from '../shell/shell.tsx';
import { useTeam } from './team-source.ts';
import { joiningWords } from './team-words.ts';

/** On whatever page a team's link led to. */
export function TeamQuestion() {
  const { team: source } = useDeps();
  const { invite, team } = useTeam();
  if (invite === null) return null;
  if (invite.kind === 'damaged')
    return (
      <Notice tone="coral">
        That team link is not complete: ask for it again, or copy all of it.{' '}
        <button type="button" className="link" onClick={() => source.refuse()}>
          All right
        </button>
      </Notice>
    );
  return <JoinTeam key={invite.team.key} invited={invite.team} here={invite.here} before={team} />;
}

function JoinTeam({ invited, here, before }: { invited: Team; here: boolean; before: Team | null }) {
  const { team: source } = useDeps();
  const id = useId();
  const [name, setName] = useState(invited.name);
  return (
    <Confirm
      title="You are invited to give as a team"
      action="Join the team"
      yes={async () => source.join({ ...invited, name: networkTitleOf(name) })}
      onNo={() => source.refuse()}
    >
      <div className="field">
        <label htmlFor={id}>What you call it</label>
        <input
          id={id}
          type="text"
          value={name}
          maxLength={teamTitleCharsMax}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      <ul className="confirm-words sm">
        {joiningWords({ here, before }).map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </Confirm>
  );
}
