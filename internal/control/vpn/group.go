package vpn

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

const (
	maxGroups     = 32
	maxGroupName  = 32
	maxGroupLabel = 64
)

// ownPaths are paths that a gateway answers itself.
var ownPaths = []string{"auth", "vpn", "logout", "profiles"}

func (c Settings) checkGroups() error {
	if len(c.Groups) > maxGroups {
		return ErrGroups
	}
	for i, g := range c.Groups {
		if !g.valid() || slices.ContainsFunc(c.Groups[:i], g.clashes) {
			return ErrGroups
		}
	}
	return nil
}

func (g Group) valid() bool {
	name := len(g.Name) > 0 && len(g.Name) <= maxGroupName && strings.Trim(g.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == "" &&
		!slices.Contains(ownPaths, g.Name)
	label := g.Label != "" && len([]rune(g.Label)) <= maxGroupLabel && strings.TrimSpace(g.Label) == g.Label &&
		!strings.ContainsFunc(g.Label, func(r rune) bool { return r < ' ' || r == 0x7f })
	return name && label
}

// clashes reports whether a person could mean either: openconnect compares
// labels without regard to case.
func (g Group) clashes(other Group) bool {
	return g.Name == other.Name || strings.EqualFold(g.Label, other.Label)
}

func (c Settings) hasGroup(name string) bool {
	return slices.ContainsFunc(c.Groups, func(g Group) bool { return g.Name == name })
}

// wireGroups writes the groups in the words of gwlink.
func (c Settings) wireGroups() (all []gwlink.Group) {
	for _, g := range c.Groups {
		all = append(all, gwlink.Group{Name: g.Name, Label: g.Label})
	}
	return all
}

// checkGroups refuses groups that the server does not have.
func (c ClientSettings) checkGroups(srv SSLServer) error {
	for i, name := range c.Groups {
		if !srv.hasGroup(name) || slices.Contains(c.Groups[:i], name) {
			return ErrGroupUnknown.With("group", name)
		}
	}
	return nil
}

// loses reports whether a change takes a group away.
func (c ClientSettings) loses(next ClientSettings) bool {
	return slices.ContainsFunc(c.Groups, func(name string) bool { return !slices.Contains(next.Groups, name) })
}

// dropGroupsTx takes groups that the server lost from its clients, whose
// sessions end; but not when it has none any more, since all may sign in then.
func (s *Service) dropGroupsTx(ctx context.Context, tx *db.Tx, srv SSLServer) error {
	clients, err := clientsOfServer(ctx, tx, srv.ID)
	if err != nil {
		return err
	}
	for _, c := range clients {
		next := c
		next.Groups = slices.DeleteFunc(slices.Clone(c.Groups), func(name string) bool { return !srv.hasGroup(name) })
		if !c.loses(next.ClientSettings) {
			continue
		}
		if err := updateClient(ctx, tx, next, s.clock.Now()); err != nil {
			return err
		}
		if len(srv.Groups) == 0 {
			continue
		}
		if err := s.endClientTx(ctx, tx, c, gwlink.ReasonAdministrator); err != nil {
			return err
		}
	}
	return nil
}

// groupsText is how a client's groups are stored.
func groupsText(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(names) // strings always marshal
	return string(b)
}

func parseGroups(text string) (names []string, err error) {
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("groups of a client: %w", err)
	}
	return names, nil
}

// group is the name of the group that this round is for: what was chosen, else
// the first, which a form shows as chosen. It is empty if the server has none,
// or not the one that was asked for.
func (l login) group() string {
	switch {
	case len(l.server.Groups) == 0:
		return ""
	case l.request.Group == "":
		return l.server.Groups[0].Name
	case !l.server.hasGroup(l.request.Group):
		return ""
	}
	return l.request.Group
}

// admits reports whether the client is a member of the group. With a
// certificate alone there is no form to choose in: any group of the client's
// will do unless one was named.
func (l login) admits(c SSLClient) bool {
	if len(l.server.Groups) == 0 {
		return true
	}
	if l.server.LoginMode == LoginCertificate && l.request.Group == "" {
		return slices.ContainsFunc(c.Groups, l.server.hasGroup)
	}
	return slices.Contains(c.Groups, l.group())
}
