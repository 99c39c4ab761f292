import { count, plural } from '../view/format.ts';

/** Filters a list as one types, and says how many of `all` are left. `noun`: what one of them is called. `more` follows the count. */
export function FilterField({
  value,
  change,
  placeholder,
  found,
  all,
  noun,
  more = '',
}: {
  value: string;
  change: (value: string) => void;
  placeholder: string;
  found: number;
  all: number;
  noun: string;
  more?: string;
}) {
  return (
    <div className="between">
      <label className="pick sm">
        Filter <input type="text" value={value} placeholder={placeholder} onChange={(event) => change(event.target.value)} />
      </label>
      <span className="mute sm" aria-live="polite">
        {found === all ? plural(all, noun) : `${count(found)} of ${plural(all, noun)}`}
        {more}
      </span>
    </div>
  );
}
