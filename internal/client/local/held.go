package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Unregistered is the purpose of a file that no store owns. A test fails on one;
// a person sees it.
const Unregistered = "unregistered"

// Item is one thing that is stored, for the person to read.
type Item struct {
	Where   string // "file", or the place of keys: "secret-service", ...
	Name    string // path of the file, or profile and kind of the entry
	Purpose string // key of a sentence: local.for_PURPOSE
	Size    int64  // bytes; -1 where it is not known
	At      time.Time
}

// Holder keeps things outside of the directory.
type Holder interface {
	Held(ctx context.Context) ([]Item, error)
	Erase(ctx context.Context) error
}

// Hold registers what keeps things elsewhere.
func (d *Dir) Hold(h Holder) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holders = append(d.holders, h)
}

func (d *Dir) held() []Holder {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Clone(d.holders)
}

// Held lists everything that is stored, in the directory and with the holders.
// An error of a holder (a locked key store) comes with what was found.
func (d *Dir) Held(ctx context.Context) ([]Item, error) {
	all, err := d.ownFiles()
	if err != nil || mutant.Off("TY-6.1") {
		return all, err
	}
	var failed []error
	for _, h := range d.held() {
		more, err := h.Held(ctx)
		all, failed = append(all, more...), append(failed, err)
	}
	return all, errors.Join(failed...)
}

func (d *Dir) ownFiles() ([]Item, error) {
	names, err := d.files()
	if err != nil {
		return nil, err
	}
	var all []Item
	for _, name := range names {
		full := filepath.Join(d.root, filepath.FromSlash(name))
		info, err := os.Lstat(full)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking at %s: %w", full, err)
		}
		all = append(all, Item{"file", full, d.purpose(name), info.Size(), info.ModTime().UTC()})
	}
	return all, nil
}

func (d *Dir) purpose(name string) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, o := range d.owned {
		if ok, err := path.Match(o.pattern, name); ok && err == nil {
			return o.purpose
		}
	}
	return Unregistered
}

// Erase removes everything that is stored, first what the holders keep, whose
// record is in the directory, then the directory. It looks again, and what is
// still there is ErrLeft. It can be repeated after a failure.
func (d *Dir) Erase(ctx context.Context) error {
	unlock, err := d.Lock(Profiles)
	if err != nil {
		return err
	}
	defer unlock()
	for _, h := range d.held() {
		if err := h.Erase(ctx); err != nil {
			return fmt.Errorf("erasing: %w", err)
		}
	}
	// A link is removed, not what it leads to.
	if err := os.RemoveAll(d.root); err != nil {
		return fmt.Errorf("erasing %s: %w", d.root, err)
	}
	return d.verify(ctx)
}

func (d *Dir) verify(ctx context.Context) error {
	left, err := d.Held(ctx)
	if err != nil || len(left) == 0 {
		return err
	}
	var names []string
	for _, i := range left {
		names = append(names, i.Name)
	}
	return ErrLeft.With("paths", strings.Join(names, ", "))
}
