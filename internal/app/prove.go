package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/control/proof"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/field"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// Proving is what Prove is told.
type Proving struct {
	Handle   string                    // whose pack; empty: of all, for an auditor
	Since    int64                     // size of a checkpoint that was kept; 0 for none
	Progress func(percent int64) error // nil: nobody asks
}

// Prove writes a proof pack.
func Prove(ctx context.Context, cfg config.Config, in Proving, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	return m.proof.Write(ctx, proof.Request{
		Subject: id.Handle(in.Handle), Reader: vault.Reader{Class: vault.Job, Session: "prove"}, Since: in.Since, Progress: in.Progress,
	}, out)
}

func (m *modules) proofs(s *stores, log *slog.Logger) *proof.Service {
	return proof.New(proof.Deps{
		DB: s.main, Queue: m.queue, Vault: s.vault, Log: log, Audit: m.audit, Consent: m.consent, Clock: clock.System{}, Build: build,
		Clauses: func(ctx context.Context) (any, error) { return m.boardRows(ctx) },
		DataMap: DataMap,
	})
}

func build() (map[string]string, error) {
	sum, err := ownSum()
	return map[string]string{"version": Version(), "sha256": sum}, err
}

// ownSum is programSum, once in a process.
var ownSum = sync.OnceValues(programSum)

// programSum is the SHA-256 of the program that runs, in hex: who has the source
// can build it again and compare.
func programSum() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the program: %w", err)
	}
	program, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading the program: %w", err)
	}
	defer func() { _ = program.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, program); err != nil {
		return "", fmt.Errorf("reading the program: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// dataMap is all that is classified.
type dataMap struct {
	Tables       []holding.Table `json:"tables"`
	LogKeys      field.Register  `json:"log_keys"`
	JobArguments field.Register  `json:"job_arguments"`
	Sent         field.Register  `json:"sent"` // to recipients, headers included
	MetricLabels field.Register  `json:"metric_labels"`
	Messages     field.Register  `json:"gateway_messages"` // between control and gateways
	API          field.Register  `json:"api"`              // properties and parameters
}

// DataMap is the data map in canonical JSON: tables and columns in the order of
// their descriptions, names of registers in the order of the alphabet.
func DataMap() ([]byte, error) {
	fields, err := api.Fields()
	if err != nil {
		return nil, err
	}
	return json.Marshal(dataMap{Holdings(), slogx.Keys, job.Arguments, egress.Fields, metric.Labels, gwlink.Fields, fields})
}

// PolicyDataMap prints the data map, byte for byte as it is published.
func PolicyDataMap(out io.Writer) error {
	text, err := DataMap()
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}
