export function AdminUsers() {
  return null;
}
export function AdminOrders() {
  return null;
}
export function AdminPayments() {
  return null;
}
export function AdminNodes() {
  return null;
}
export function AdminPolicies() {
  return null;
}
