export function RealName() {
  return null;
}
