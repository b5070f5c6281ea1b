export function AdminAudit() {
  return null;
}
