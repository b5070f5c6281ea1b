package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// maxSeed bounds what is read as a seed: an otpauth URI with long names is smaller.
const maxSeed = 4 << 10

func (o *options) token() *cobra.Command {
	c := &cobra.Command{
		Use: "token", Short: "Seeds of software tokens in the key store, where the operator allows it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.listTokens(c) },
	}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "Profiles with their tokens", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return o.listTokens(c) },
		},
		o.importToken(), o.codeOfToken(), o.removeToken(),
	)
	return c
}

func (o *options) importToken() *cobra.Command {
	from, fd := "", -1
	c := &cobra.Command{
		Use: "import [PROFILE]", Short: "Keep a token's seed, so that codes are filled in", Args: cobra.MaximumNArgs(1), ValidArgsFunction: o.profileNames,
		Long: "Keep the seed of a software token in the key store, so that codes are filled in at each login. It is what a QR code of the operator\n" +
			"says: an otpauth://totp link, a secret in base32, or a CTF string of stoken that no password protects. It is typed without being\n" +
			"seen, or comes from a file or a file descriptor; it is never an argument, which other users of the machine could read.",
		RunE: func(c *cobra.Command, args []string) error {
			return o.with(args, func(h *user.Home, p profile.Profile) error {
				if !p.Options.KeepSeed { // before anything secret is typed
					return keystore.ErrSeed
				}
				seed, err := o.seed(c.Context(), from, fd)
				if err != nil {
					return err
				}
				if err := h.ImportSeed(c.Context(), p, seed); err != nil {
					return err
				}
				if !o.json {
					fmt.Fprintln(o.out, o.say("token.kept", "name", user.Clean(p.Name)))
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&from, "from", "", "file that holds it, or - for standard input")
	c.Flags().IntVar(&fd, "fd", -1, "read it from this file descriptor")
	return c
}

// seed is what was given, or what is typed.
func (o *options) seed(ctx context.Context, from string, fd int) ([]byte, error) {
	var text []byte
	var err error
	switch {
	case fd >= 0:
		return o.fromFD(fd)
	case from != "":
		text, err = o.file(ctx, from, maxSeed)
	default:
		text, err = o.secret(o.say("ask.seed"))
	}
	return bytes.TrimSpace(text), err
}

// tokenRow is a profile's token, for --json.
type tokenRow struct {
	Profile string `json:"profile"`
	Token   string `json:"token"`   // totp, stoken; empty: not known
	Allowed bool   `json:"allowed"` // its seed may be kept
	Kept    bool   `json:"kept"`
}

func (o *options) listTokens(c *cobra.Command) error {
	h, err := o.home(user.Person{})
	if err != nil {
		return err
	}
	all, _, err := h.Profiles.All()
	if err != nil {
		return err
	}
	rows := []tokenRow{}
	for _, p := range all {
		kept, err := h.HasSeed(c.Context(), p.ID)
		if err != nil {
			return err
		}
		rows = append(rows, tokenRow{p.Name, string(p.Options.Token), p.Options.KeepSeed, kept})
	}
	if o.json {
		return o.printJSON(rows)
	}
	for _, r := range rows {
		state := "none"
		switch {
		case r.Kept:
			state = "is_kept"
		case !r.Allowed:
			state = "not_allowed"
		}
		fmt.Fprintf(o.out, "%s %s %s\n", pad(user.Clean(r.Profile), 24), pad(r.Token, 8), o.say("token."+state))
	}
	return nil
}

func (o *options) codeOfToken() *cobra.Command {
	return &cobra.Command{
		Use: "code [PROFILE]", Short: "Print the present code", Args: cobra.MaximumNArgs(1), ValidArgsFunction: o.profileNames,
		RunE: func(c *cobra.Command, args []string) error {
			return o.with(args, func(h *user.Home, p profile.Profile) error {
				t, err := h.Token(c.Context(), p.ID)
				if err != nil {
					return err
				}
				now := clock.System{}.Now()
				code, err := t.Code(now)
				if err != nil {
					return err
				}
				left := t.Step - now.Sub(now.Truncate(t.Step))
				if o.json {
					return o.printJSON(map[string]any{"code": code, "seconds": int(left / time.Second)})
				}
				fmt.Fprintln(o.out, code)
				return nil
			})
		},
	}
}

func (o *options) removeToken() *cobra.Command {
	return &cobra.Command{
		Use: "remove [PROFILE]", Short: "Delete a kept seed", Args: cobra.MaximumNArgs(1), ValidArgsFunction: o.profileNames,
		RunE: func(c *cobra.Command, args []string) error {
			return o.with(args, func(h *user.Home, p profile.Profile) error {
				err := h.ForgetSeed(c.Context(), p.ID)
				if err == nil && !o.json {
					fmt.Fprintln(o.out, o.say("token.removed", "name", user.Clean(p.Name)))
				}
				return err
			})
		},
	}
}
