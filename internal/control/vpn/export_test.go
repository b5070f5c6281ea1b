package vpn

import "context"

// Sweep and WarnOfExpiry are the periodic work, for tests that move the clock.
func (s *Service) Sweep(ctx context.Context) error { return s.sweep(ctx) }

// WarnOfExpiry is what runs hourly.
func (s *Service) WarnOfExpiry(ctx context.Context) error { return s.warnOfExpiry(ctx) }

// EnforceQuotas is what runs every few seconds.
func (s *Service) EnforceQuotas(ctx context.Context) error { return s.enforceQuotas(ctx) }

// RecoveryDigest is what is kept of a recovery code.
func (s *Service) RecoveryDigest(ctx context.Context, client, code string) (string, error) {
	return s.digest(ctx, "recovery", client, code)
}

// Changes is what the audit log tells of a change of settings.
func (c Settings) Changes(next Settings) map[string]string {
	return tellChanges(map[string]string{}, c.told(), next.told())
}

// Changes is the same for a client.
func (c ClientSettings) Changes(next ClientSettings) map[string]string {
	return tellChanges(map[string]string{}, c.told(), next.told())
}
