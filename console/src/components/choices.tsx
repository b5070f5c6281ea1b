import type { ReactNode } from 'react';

interface Props {
  label: string;
  value?: string;
  options: { value: string; title: ReactNode; detail?: ReactNode }[];
  onChange?: (value: string) => void;
  wide?: boolean;
}

/** A choice of one of few, all in sight. A field of a form. */
export function Choices({ label, value, options, onChange, wide }: Props) {
  const at = options.findIndex((o) => o.value === value);
  const move = (event: React.KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (at + step + options.length) % options.length;
    const option = options[next];
    if (option) onChange?.(option.value);
    (event.currentTarget.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div
      role="radiogroup"
      aria-label={label}
      className={wide ? 'choices wide' : 'choices'}
      onKeyDown={move}
      tabIndex={-1}
    >
      {options.map((o, i) => (
        <button
          key={o.value}
          type="button"
          role="radio"
          aria-checked={o.value === value}
          tabIndex={i === Math.max(at, 0) ? 0 : -1}
          className="choice"
          onClick={() => onChange?.(o.value)}
        >
          <b>{o.title}</b>
          {o.detail ? <span className="small quiet">{o.detail}</span> : null}
        </button>
      ))}
    </div>
  );
}
