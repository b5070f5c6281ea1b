package vpn

import "context"

// EnforceQuotas is what the periodic job does.
func EnforceQuotas(ctx context.Context, s *Service) error { return s.enforceQuotas(ctx) }
