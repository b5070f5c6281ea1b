package privacy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

const proofs = 1000

// BenchmarkVerify has skybridge-verify check 1,000 proofs of entries of a log of
// 20,000, each a file of its own with the signed checkpoint.
func BenchmarkVerify(b *testing.B) {
	r, dir := assemble(b), b.TempDir()
	ctx := context.Background()
	program := filepath.Join(dir, "skybridge-verify")
	if out, err := exec.Command("go", "build", "-o", program, "../../../cmd/skybridge-verify").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for range 20 {
		must(b, r.DB.InTx(ctx, func(tx *db.Tx) error {
			for range 1000 {
				if err := r.Audit.AppendTx(ctx, tx, audit.Event{Type: "consent.grant", Subject: "sub_bench", Actor: audit.Actor{Class: "self"}, Detail: map[string]string{"purpose": "account"}}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	signed, err := r.Audit.Checkpoint(ctx)
	must(b, err)
	key, err := r.Audit.VerifierKey(ctx)
	must(b, err)
	size, err := r.Audit.SizeOf(signed)
	must(b, err)
	must(b, os.WriteFile(filepath.Join(dir, "log.pub"), []byte(key), 0o600))
	args := []string{"--key", filepath.Join(dir, "log.pub")}
	for i := range int64(proofs) {
		got, err := r.Audit.Inclusion(ctx, i*(size/proofs), size)
		must(b, err)
		hashes := make([]string, len(got.Hashes))
		for n, h := range got.Hashes {
			hashes[n] = base64.StdEncoding.EncodeToString(h[:])
		}
		text, err := json.Marshal(api.LogProof{
			Format: "skybridge-proof/v1", Checkpoint: string(signed), Inclusion: &api.InclusionProof{Index: got.Leaf.Index, Leaf: string(got.Leaf.Text()), Hashes: hashes},
		})
		must(b, err)
		args = append(args, filepath.Join(dir, fmt.Sprintf("%d.json", i)))
		must(b, os.WriteFile(args[len(args)-1], text, 0o600))
	}
	for b.Loop() {
		began := time.Now()
		out, err := exec.Command(program, args...).CombinedOutput()
		if err != nil || strings.Count(string(out), "inclusion: entry") != proofs {
			b.Fatalf("%v\n%.500s", err, out)
		}
		record(figure{Row: "14", Name: "privacy-verify", Unit: "s", Goal: "1", More: map[string]float64{"log": float64(size)}}, time.Since(began).Seconds())
	}
}
