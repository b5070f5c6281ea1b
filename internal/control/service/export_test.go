package service

import "context"

// What periodic jobs do, for tests to run at their time.
func Dunning(ctx context.Context, s *Service) error   { return s.dunning(ctx) }
func Reconcile(ctx context.Context, s *Service) error { return s.reconcile(ctx) }

var AddMonths = addMonths
