package netcfg

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// asking is how long one question to a resolver may take.
const asking = 5 * time.Second

// setNames has names asked of the tunnel as the plan says, by the resolver that
// was chosen the first time.
func (s *system) setNames(c change, t *tunnel, p Plan) (warnings []Warning, err error) {
	if len(p.DNS) == 0 {
		return nil, s.unsetNames(c, t)
	}
	if t.Claim.Resolver == "" {
		t.Claim.Resolver = s.resolver(c.ctx)
		if err := c.save(); err != nil {
			return nil, err
		}
	}
	if t.Claim.Resolver != Resolved && len(p.SplitDNS) > 0 {
		warnings = append(warnings, NoSplitDNS)
	}
	switch t.Claim.Resolver {
	case Resolved:
		err = s.setResolved(c, t, p)
	case Resolvconf:
		err = s.setResolvconf(c, t, p)
	case File:
		if err = s.setFile(c, c.state.plans()); err != nil {
			err = fmt.Errorf("%s cannot be replaced, it or its place is read-only or mounted: %w", s.cfg.ResolvConf, err)
		}
	default:
		err = fmt.Errorf("%w: no resolver %q", ErrUnsupported, t.Claim.Resolver)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResolvers, err)
	}
	return warnings, nil
}

// unsetNames undoes setNames, by the resolver that it used.
func (s *system) unsetNames(c change, t *tunnel) (err error) {
	switch t.Claim.Resolver {
	case Resolved:
		err = s.unsetResolved(c, t)
	case Resolvconf:
		err = s.unsetResolvconf(c, t)
	case File:
		err = s.unsetFile(c, t)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrResolvers, err)
	}
	t.Claim.Resolver = ""
	return nil
}

// resolver finds out which one the host's programs use: a daemon that runs and
// that resolv.conf does not lead to answers nobody.
func (s *system) resolver(ctx context.Context) Resolver {
	if s.cfg.Resolver != "" {
		return s.cfg.Resolver
	}
	text, target := s.resolvConf()
	switch {
	case leadsToResolved(text, target) && s.resolvedRuns(ctx):
		return Resolved
	case leadsToResolvconf(text, target) && resolvconfProgram() != "":
		return Resolvconf
	}
	return File
}

// resolvConf is what resolv.conf says, and where it is in the end.
func (s *system) resolvConf() (text []byte, target string) {
	text, _ = os.ReadFile(s.cfg.ResolvConf)                     // none leads nowhere
	target, _ = filepath.EvalSymlinks(s.cfg.ResolvConf)         // likewise
	if link, err := os.Readlink(s.cfg.ResolvConf); err == nil { // also where it dangles
		target += "\n" + link
	}
	return text, target
}

func leadsToResolved(text []byte, target string) bool {
	if strings.Contains(target, "/systemd/resolve/") {
		return true
	}
	for line := range bytes.Lines(text) {
		f := strings.Fields(string(line))
		if len(f) == 2 && f[0] == "nameserver" && (f[1] == "127.0.0.53" || f[1] == "127.0.0.54") {
			return true
		}
	}
	return false
}

// leadsToResolvconf knows Debian's by the place and openresolv's by its comment.
func leadsToResolvconf(text []byte, target string) bool {
	if strings.Contains(target, "/resolvconf/") {
		return true
	}
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("#")) && bytes.Contains(bytes.ToLower(line), []byte("by resolvconf")) {
			return true
		}
	}
	return false
}
