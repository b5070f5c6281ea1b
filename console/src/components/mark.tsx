/** Two piers and one arc. */
export function Mark({ size = 28, bare = false }: { size?: number; bare?: boolean }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill={bare ? 'none' : '#1668dc'} />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M5 21.5C9.5 9 22.5 9 27 21.5" />
        <path d="M11 13.6v12M21 13.6v12" />
      </g>
    </svg>
  );
}
