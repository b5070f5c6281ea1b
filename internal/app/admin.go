package app

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
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

// NodeKey prints what a configuration names a gateway node's key by.
func NodeKey(file string, out io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("%s holds no certificate in PEM", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	_, err = fmt.Fprintln(out, fleet.KeyDigest(cert))
	return err
}
