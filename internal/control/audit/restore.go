package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// ErrNotOurs says that a restored log is not a prefix of what was signed
// outside of the database.
var ErrNotOurs = errs.New(errs.Unavailable, "audit.not_a_prefix")

// SizeIn is the log's size as a transaction sees it.
func (s *Service) SizeIn(ctx context.Context, q db.Q) (int64, error) {
	h, err := readHead(ctx, q)
	return h.size, err
}

// CheckpointAt signs the log as it was at a size, after the check that it
// continues the last checkpoint or is continued by it, and adds the note to the
// history beside the checkpoint file. A backup carries it.
func (s *Service) CheckpointAt(ctx context.Context, size int64) ([]byte, error) {
	if size == 0 {
		return nil, ErrEmpty
	}
	if _, err := s.Checkpoint(ctx); err != nil { // signs the present log, and finds it altered if it is
		return nil, err
	}
	root, err := tlog.TreeHash(size, store{ctx, s.db})
	if err != nil {
		return nil, tampered(err)
	}
	signed, err := s.sign(ctx, head{size, root})
	if err != nil || s.file == "" {
		return signed, err
	}
	old, err := os.ReadFile(s.history())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return signed, durable.Replace(s.history(), append(old, append(signed, historyEnd...)...))
}

// history holds the checkpoint of every backup, each ended by a line of its own.
func (s *Service) history() string { return s.file + ".history" }

const historyEnd = "----\n"

// CheckRestored holds a log that came back from a backup against the copies
// outside of the database: the backup's checkpoint stands in their history, the
// last one outside is not before it, and the restored leaves are what it
// signed. It returns how many leaves came after the backup and are lost.
// ErrNotOurs tells what is wrong, and a missing copy is wrong.
func (s *Service) CheckRestored(ctx context.Context, signed []byte) (lost int64, err error) {
	outside, err := s.external()
	if err != nil {
		return 0, notOurs(fmt.Errorf("%s and %s.pub are needed: bring them from the lost machine or their copy: %w", s.file, s.file, err))
	}
	key, err := os.ReadFile(s.file + ".pub")
	if err != nil {
		return 0, notOurs(err)
	}
	then, err := s.open(signed, strings.TrimSpace(string(key)))
	if err != nil {
		return 0, notOurs(fmt.Errorf("the backup's checkpoint: %w", err))
	}
	history, err := os.ReadFile(s.history())
	if err != nil || !bytes.Contains(history, signed) {
		return 0, notOurs(errors.Join(fmt.Errorf("the backup's checkpoint is not in %s", s.history()), err))
	}
	if outside.size < then.size || outside.size == then.size && outside.root != then.root {
		return 0, notOurs(fmt.Errorf("the checkpoint outside is of %d leaves, the backup of %d", outside.size, then.size))
	}
	return outside.size - then.size, s.holds(ctx, then)
}

// holds recomputes the log from its leaves and compares it with a checkpoint.
func (s *Service) holds(ctx context.Context, then head) error {
	inside := *s
	inside.file = "" // what is outside is ahead
	if err := inside.CheckRoot(ctx); err != nil {
		return err
	}
	h, err := readHead(ctx, s.db)
	if err != nil {
		return err
	}
	if h.size < then.size {
		return notOurs(fmt.Errorf("the log has %d leaves, the backup's checkpoint %d", h.size, then.size))
	}
	root, err := tlog.TreeHash(then.size, store{ctx, s.db})
	if err != nil {
		return tampered(err)
	}
	if root != then.root {
		return notOurs(errors.New("the leaves are not those of the backup's checkpoint"))
	}
	return nil
}

func notOurs(cause error) error { return errs.Wrap(ErrNotOurs.Kind, ErrNotOurs.Code, cause) }

// Reopen goes on with a restored log that CheckRestored passed: the checkpoint
// outside that is ahead of it is kept under the name of its size, with the
// history, and a new one takes its place; the history ends at the backup's
// checkpoint, so that no later backup of the lost log passes. Doing it again
// changes nothing.
func (s *Service) Reopen(ctx context.Context, signed []byte) error {
	outside, err := s.external()
	if err != nil {
		return notOurs(err)
	}
	for _, file := range []string{s.file, s.history()} {
		kept := fmt.Sprintf("%s.lost-%d", file, outside.size)
		text, err := os.ReadFile(file)
		if err == nil && absent(kept) {
			err = durable.Replace(kept, text)
		}
		if err != nil {
			return fmt.Errorf("keeping the checkpoint of the lost log: %w", err)
		}
	}
	history, err := os.ReadFile(s.history())
	if err != nil {
		return err
	}
	before, _, _ := bytes.Cut(history, signed)
	if err := durable.Replace(s.history(), append(bytes.Clone(before), append(bytes.Clone(signed), historyEnd...)...)); err != nil {
		return err
	}
	_, err = s.Checkpoint(ctx)
	return err
}
