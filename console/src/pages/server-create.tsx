export function ServerCreate() {
  return null;
}
