package ticket

import "context"

// Silence is what runs each hour.
func Silence(ctx context.Context, s *Service) error { return s.silence(ctx) }

// Sniff says what a file is.
var Sniff = sniff
