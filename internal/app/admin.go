package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// VerifyAudit recomputes the audit log and compares it with its checkpoints.
func VerifyAudit(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) error {
	s, err := openStores(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer s.close()
	m, err := newModules(cfg, s, log)
	if err != nil {
		return err
	}
	report, err := m.audit.Verify(ctx)
	if err != nil {
		return err
	}
	for _, p := range report.Problems {
		fmt.Fprintf(out, "%v\n", p)
	}
	if len(report.Problems) > 0 {
		return ErrAudit
	}
	_, err = fmt.Fprintf(out, "%d leaves, %d checkpoints, root %s: the log is whole\n", report.Size, report.Checkpoints, report.Root)
	return err
}

// ErrAudit says that the audit log was altered.
var ErrAudit = errors.New("the audit log does not verify; the lines above say where")
