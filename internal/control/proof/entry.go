package proof

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// entry is one entry of the log. SHA-256 of salt and payload is the commitment in
// the leaf; both are there only in the pack of the person whom it concerns, and
// for entries that concern nobody.
type entry struct {
	Index   int64  `json:"index"`
	Leaf    string `json:"leaf"`
	Salt    []byte `json:"salt,omitempty"`    // base64
	Payload []byte `json:"payload,omitempty"` // base64 of JSON
	Erased  bool   `json:"erased,omitempty"`  // the key of the detail is destroyed
}

// included proves an entry in the checkpoint.
type included struct {
	Index  int64    `json:"index"`
	Hashes []string `json:"hashes"`
}

// older proves that the log continues that of an older size.
type older struct {
	Size   int64    `json:"size"`
	Note   string   `json:"checkpoint,omitempty"` // signed then; empty: the size of the entries of an auditor's pack
	Hashes []string `json:"hashes"`
}

func texts[H ~[]tlog.Hash](all H) []string {
	out := make([]string, 0, len(all))
	for _, h := range all {
		out = append(out, base64.StdEncoding.EncodeToString(h[:]))
	}
	return out
}

// ours are the types of entries about nobody that a person's pack tells: what was
// promised, and what was destroyed in time.
func ours(l audit.Leaf) bool {
	return l.Handle != "" || l.Type == "policy.published" || strings.HasPrefix(l.Type, "retention.")
}

const page = 500

// entries writes what the log holds below the pack's size, and tells the indexes.
func (s *Service) entries(ctx context.Context, p *pack, t *vault.Ticket) (indexes []int64, err error) {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for from := int64(0); ; {
		leaves, err := s.d.Audit.LeavesFrom(ctx, p.Subject, from, p.size, page)
		if err != nil {
			return nil, err
		}
		for _, l := range leaves {
			from = l.Index + 1
			if err := p.told(recorded, opened, from, p.size); err != nil {
				return nil, err
			}
			if p.Subject != "" && !ours(l) {
				continue
			}
			e, err := s.entry(ctx, p, t, l, l.Handle == p.Subject || l.Handle == "" && p.Subject != "")
			if err != nil {
				return nil, err
			}
			if err := enc.Encode(e); err != nil {
				return nil, err
			}
			indexes = append(indexes, l.Index)
		}
		if len(leaves) < page {
			return indexes, p.put("log/entries.jsonl", lines.Bytes())
		}
	}
}

// entry is a leaf, with its detail if it may be told. A pack of much takes longer
// than a ticket lives: then the reading is recorded again.
func (s *Service) entry(ctx context.Context, p *pack, t *vault.Ticket, l audit.Leaf, open bool) (entry, error) {
	e := entry{Index: l.Index, Leaf: string(l.Text())}
	if !open {
		return e, nil
	}
	detail, err := s.d.Audit.Reveal(ctx, *t, l)
	if errors.Is(err, vault.ErrTicket) && p.Subject != "" {
		if *t, err = s.d.Audit.OwnTicket(ctx, p.Subject, p.Reader); err != nil {
			return e, err
		}
		detail, err = s.d.Audit.Reveal(ctx, *t, l)
	}
	if errors.Is(err, vault.ErrErased) {
		e.Erased = true
		return e, nil
	}
	e.Salt, e.Payload = detail.Salt, detail.Payload
	return e, err
}

// continues proves the first and the last older checkpoint, the one that the
// reader kept, and for an auditor the size of the entries.
func (s *Service) continues(ctx context.Context, p *pack, prover *audit.Prover) error {
	sizes, err := s.d.Audit.Checkpoints(ctx)
	if err != nil {
		return err
	}
	sizes = slices.DeleteFunc(sizes, func(n int64) bool { return n >= prover.Size })
	if p.Since != 0 && p.Since != prover.Size && !slices.Contains(sizes, p.Since) {
		return ErrNoSize
	}
	var wanted []int64
	if len(sizes) > 0 {
		wanted = append(wanted, sizes[0], sizes[len(sizes)-1])
	}
	if p.Since != 0 && p.Since < prover.Size {
		wanted = append(wanted, p.Since)
	}
	slices.Sort(wanted)
	all := []older{}
	for _, size := range slices.Compact(wanted) {
		o, err := s.older(ctx, prover, size)
		if err != nil {
			return err
		}
		all = append(all, o)
	}
	if p.Subject == "" && p.size > 0 {
		hashes, err := prover.Continues(p.size)
		if err != nil {
			return err
		}
		all = append(all, older{Size: p.size, Hashes: texts(hashes)})
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return p.bare("log/consistency.json", text)
}

func (s *Service) older(ctx context.Context, prover *audit.Prover, size int64) (older, error) {
	note, err := s.d.Audit.CheckpointOf(ctx, size)
	if err != nil {
		return older{}, err
	}
	hashes, err := prover.Continues(size)
	return older{size, string(note), texts(hashes)}, err
}
