export function MyData() {
  return null;
}
