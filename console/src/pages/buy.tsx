export function Buy() {
  return null;
}
