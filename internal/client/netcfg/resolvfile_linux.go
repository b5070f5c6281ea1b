package netcfg

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// resolvFile is what the journal knows of a replaced resolv.conf. The former
// one, a file or a link, waits beside it as a second name of itself and comes
// back by a rename, with its owner, mode and attributes.
//
//	resolv.conf               ours while its content is one that we wrote
//	resolv.conf.skyconnect    the former
type resolvFile struct {
	Path   string   `json:"path,omitempty"`
	Wrote  []string `json:"wrote"`  // SHA-256 of each content that may be ours
	Former bool     `json:"former"` // there was one
}

// maxNameServers is what resolvers read (resolv.conf(5), MAXNS).
const maxNameServers = 3

// resolvText is a resolv.conf for all tunnels that have resolvers.
func resolvText(plans []Plan) []byte {
	var b bytes.Buffer
	n := 0
	var search []string
	for _, p := range plans {
		if len(p.DNS) > 0 {
			search = append(search, p.Search...)
		}
		for _, a := range p.DNS {
			if n++; n <= maxNameServers {
				fmt.Fprintf(&b, "nameserver %s\n", a)
			}
		}
	}
	if len(search) > 0 {
		b.WriteString("search")
		for _, s := range search {
			b.WriteString(" " + s)
		}
		b.WriteString("\n")
	}
	return b.Bytes()
}

const resolvHeader = "# Written by skyconnect while its tunnel is up. The former file waits beside this one and comes back.\n"

func (s *system) formerPath() string { return s.cfg.ResolvConf + ".skyconnect" }
func (s *system) newPath() string    { return s.cfg.ResolvConf + ".skyconnect-new" }

// setFile has resolv.conf name the servers of all plans. What somebody else put
// there since becomes the former file.
func (s *system) setFile(c change, plans []Plan) error {
	text := append([]byte(resolvHeader), resolvText(plans)...)
	there, err := os.ReadFile(s.cfg.ResolvConf)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	record := c.state.Shared.File
	if record.mine(there) {
		if bytes.Equal(there, text) {
			return nil
		}
		record.Wrote = append(record.Wrote, digest(text))
		if err := c.save(); err != nil {
			return err
		}
		return s.placeFile(text)
	}
	_, err = os.Lstat(s.cfg.ResolvConf)
	c.state.Shared.File = &resolvFile{Path: s.cfg.ResolvConf, Wrote: []string{digest(text)}, Former: err == nil}
	if err := c.save(); err != nil {
		return err
	}
	if err := s.keepFormer(); err != nil {
		return err
	}
	return s.placeFile(text)
}

// mine says whether a content is one that we wrote.
func (r *resolvFile) mine(content []byte) bool {
	return r != nil && slices.Contains(r.Wrote, digest(content))
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// keepFormer gives what is there a second name. A link keeps pointing where it
// points.
func (s *system) keepFormer() error {
	if err := removed(s.formerPath()); err != nil {
		return err
	}
	step()
	if err := os.Link(s.cfg.ResolvConf, s.formerPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// placeFile puts a file in the place of resolv.conf in one step.
func (s *system) placeFile(text []byte) error {
	if err := removed(s.newPath()); err != nil {
		return err
	}
	step()
	f, err := os.OpenFile(s.newPath(), os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o644) // every program reads it, whatever our umask
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	step()
	if err == nil {
		err = os.Rename(s.newPath(), s.cfg.ResolvConf)
	}
	if err != nil {
		return errors.Join(err, removed(s.newPath()))
	}
	step()
	return syncDir(filepath.Dir(s.cfg.ResolvConf))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// unsetFile takes a tunnel's servers out, and brings the former file back after
// the last. A file that somebody else wrote since stays.
func (s *system) unsetFile(c change, gone *tunnel) error {
	var others []Plan
	for _, t := range c.state.Tunnels {
		if t != gone && t.Claim.Resolver == File {
			others = append(others, t.plan())
		}
	}
	record := c.state.Shared.File
	there, err := os.ReadFile(s.cfg.ResolvConf)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(others) > 0 {
		if !record.mine(there) {
			return nil
		}
		return s.setFile(c, others)
	}
	if record == nil {
		return nil
	}
	if record.mine(there) {
		if err := s.restoreFile(record); err != nil {
			return err
		}
	}
	if err := errors.Join(removed(s.formerPath()), removed(s.newPath())); err != nil {
		return err
	}
	c.state.Shared.File = nil
	return nil
}

func (s *system) restoreFile(r *resolvFile) error {
	step()
	if !r.Former {
		return removed(s.cfg.ResolvConf)
	}
	err := os.Rename(s.formerPath(), s.cfg.ResolvConf)
	step()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is gone; write %s by hand", s.formerPath(), s.cfg.ResolvConf)
	}
	return err
}

// removed makes sure that a file is not there.
func removed(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	step()
	return os.Remove(path)
}
