package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// AddTraining records that a member of the staff was taught how personal data
// are handled: on a day, "2026-11-28"; empty is now.
func AddTraining(ctx context.Context, cfg config.Config, name, day string, out io.Writer, log *slog.Logger) error {
	at := time.Now()
	if day != "" {
		var err error
		if at, err = time.Parse(time.DateOnly, day); err != nil {
			return fmt.Errorf("the day is not like 2026-11-28: %w", err)
		}
	}
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	until, err := m.account.AddTraining(ctx, name, at)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: may open personal data until %s\n", name, until.Format(time.DateOnly))
	return err
}
