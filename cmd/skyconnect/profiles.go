package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// maxPEM bounds a file with certificates or a key, in bytes.
const maxPEM = 64 << 10

func (o *options) profiles() *cobra.Command {
	c := &cobra.Command{
		Use: "profiles", Short: "List, import, add, change and remove profiles", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return o.listProfiles() },
	}
	c.AddCommand(o.importProfile(), o.addProfile(), o.setProfile(), o.showProfile(), o.removeProfile())
	return c
}

func (o *options) listProfiles() error {
	h, err := o.home(user.Person{})
	if err != nil {
		return err
	}
	all, broken, err := h.Profiles.All()
	if err != nil {
		return err
	}
	for _, b := range broken {
		fmt.Fprintln(o.err, o.paint(yellow, o.sentence(b)))
	}
	if o.json {
		return o.printJSON(all)
	}
	for _, p := range all {
		fmt.Fprintf(o.out, "%s %s %s\n", pad(user.Clean(p.Name), 24), pad(user.Clean(p.Account), 20), user.Clean(p.Server))
	}
	if len(all) == 0 {
		fmt.Fprintln(o.out, o.say("profiles.none"))
	}
	return nil
}

func (o *options) importProfile() *cobra.Command {
	trust := ""
	c := &cobra.Command{
		Use: "import FILE|LINK|-", Short: "Take a profile that an administrator gave", Args: cobra.ExactArgs(1),
		Long: "Take a profile that an administrator gave: a NAME.skyconnect file, a skyconnect:// link as QR codes hold it, or - for standard input.\n" +
			"A later profile of the same server has to be signed by the same operator; another signer is taken only if --trust-signer names it.",
		RunE: func(c *cobra.Command, args []string) error {
			b, err := o.readBundle(c.Context(), args[0])
			if err != nil {
				return err
			}
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			return o.take(c, h, b, trust)
		},
	}
	c.Flags().StringVar(&trust, "trust-signer", "", "id of a new signer, or \"none\" for an unsigned profile of a server that signed before")
	return c
}

func (o *options) readBundle(ctx context.Context, from string) (bundle.Bundle, error) {
	if scheme, _, _ := strings.Cut(bundle.LinkPrefix, ":"); strings.HasPrefix(from, scheme+":") {
		return bundle.ParseLink(from)
	}
	text, err := o.file(ctx, from, bundle.MaxSize)
	if err != nil {
		return bundle.Bundle{}, err
	}
	defer clear(text) // it may hold a key
	return user.ParseBundle(text)
}

// take imports a bundle; what has to be confirmed is asked, or was said by trust.
func (o *options) take(c *cobra.Command, h *user.Home, b bundle.Bundle, trust string) error {
	plan, err := h.Profiles.Plan(b)
	if err != nil {
		return err
	}
	confirm := profile.Confirm{Signer: trust, Unsigned: trust == "none"}
	if !o.json {
		o.showPlan(plan)
	}
	if !plan.Trusted() && trust == "" {
		ok, err := o.yes(o.say("import.other_signer"))
		if err != nil || !ok {
			return errors.Join(err, profile.ErrSigner)
		}
		confirm = profile.Confirm{Signer: plan.Signer, Unsigned: plan.Signer == ""}
	}
	phrase := ""
	if b.Key != nil && b.Key.PKCS12 != "" {
		s, err := o.secret(o.say("ask.bundle_passphrase"))
		if err != nil {
			return err
		}
		defer clear(s)
		phrase = string(s)
	}
	p, err := h.Import(c.Context(), b, phrase, confirm)
	if err != nil {
		return err
	}
	if o.json {
		return o.printJSON(p)
	}
	fmt.Fprintln(o.out, o.say("import.done", "name", user.Clean(p.Name)))
	return nil
}

func (o *options) showPlan(p profile.Plan) {
	b := p.Bundle.Profile
	signer := p.Signer
	if signer == "" {
		signer = o.say("import.unsigned")
	}
	for _, row := range [][2]string{{"name", b.Name}, {"server", b.Server}, {"account", b.Account}, {"signer", signer}} {
		if row[1] != "" {
			fmt.Fprintf(o.err, "  %s %s\n", pad(o.say("field."+row[0]), 12), user.Clean(row[1]))
		}
	}
}

func (o *options) addProfile() *cobra.Command {
	p, w := bundle.Profile{}, &wishes{}
	var pins []string
	ca, token := "", ""
	c := &cobra.Command{
		Use: "add NAME --server HOST[:PORT]", Short: "Add a profile by hand, for any server that speaks the protocol", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			p.Options.DTLS = true
			p.Name, p.Pins, p.Options.Token = args[0], pins, bundle.Token(token)
			if !strings.Contains(p.Server, ":") {
				p.Server += ":443"
			}
			if ca != "" {
				pem, err := local.Given(c.Context(), ca, maxPEM)
				if err != nil {
					return err
				}
				if p.CA = string(pem); strings.TrimSpace(p.CA) == "" { // which would be no issuer at all
					return bundle.ErrField.With("field", "ca")
				}
			}
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			if err := w.may(c, h, profile.Profile{}); err != nil {
				return err
			}
			w.apply(c, &p.Options)
			made, err := h.Profiles.Add(p)
			if err != nil {
				return err
			}
			if o.json {
				return o.printJSON(made)
			}
			fmt.Fprintln(o.out, o.say("import.done", "name", user.Clean(made.Name)))
			return nil
		},
	}
	w.flags(c)
	f := c.Flags()
	f.StringVar(&p.Server, "server", "", "name or address, and port (default 443)")
	f.StringVar(&p.Account, "account", "", "name to log in with")
	f.StringVar(&p.Group, "group", "", "group, as in the URL of the server")
	f.StringArrayVar(&pins, "pin", nil, "pin-sha256:BASE64 of the server's key; may be repeated")
	f.StringVar(&ca, "ca", "", "file with the issuer's certificate (PEM)")
	f.StringVar(&token, "token", "", "totp or stoken, if codes come from a token")
	_ = c.MarkFlagRequired("server")
	return c
}

func (o *options) setProfile() *cobra.Command {
	w := &wishes{}
	certificate, key := "", ""
	var pins []string
	c := &cobra.Command{
		Use: "set PROFILE", Short: "Change options of a profile, or give it a certificate", Args: cobra.ExactArgs(1), ValidArgsFunction: o.profileNames,
		RunE: func(c *cobra.Command, args []string) error {
			return o.with(args, func(h *user.Home, p profile.Profile) error {
				if certificate != "" {
					if err := o.giveCertificate(c, h, p.ID, certificate, key); err != nil {
						return err
					}
				}
				if err := w.may(c, h, p); err != nil {
					return err
				}
				p, err := h.Profiles.Change(p.ID, func(p *bundle.Profile) {
					w.apply(c, &p.Options)
					if len(pins) > 0 {
						p.Pins = pins
					}
				})
				if err != nil || !o.json {
					return err
				}
				return o.printJSON(p)
			})
		},
	}
	w.flags(c)
	f := c.Flags()
	f.StringArrayVar(&pins, "pin", nil, "pin-sha256:BASE64 of the server's key, in place of those before; may be repeated")
	f.StringVar(&certificate, "certificate", "", "file with the certificate (PEM), or with certificate and key (PKCS#12)")
	f.StringVar(&key, "key", "", "file with the private key (PKCS#8 PEM); it goes to the key store")
	return c
}

// wishes are the options of a profile that the person may set by flags.
type wishes struct {
	of      bundle.Options
	trusted []string
}

func (w *wishes) flags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&w.of.DTLS, "dtls", true, "use UDP where it gets through")
	f.BoolVar(&w.of.KillSwitch, "kill-switch", false, "nothing leaves beside the tunnel")
	f.BoolVar(&w.of.LocalLAN, "local-lan", false, "local networks stay reachable")
	f.BoolVar(&w.of.KeepSeed, "keep-seed", false, "the operator lets the seed of a token be kept; a signed profile says it itself")
	f.StringArrayVar(&w.trusted, "trusted-network", nil, "DOMAIN@ADDRESS:PORT@pin-sha256:BASE64 of a host that only that network reaches: no VPN there; may be repeated; empty for none")
	f.StringVar(&w.of.Proxy, "proxy", "", "http://HOST:PORT; empty for none")
}

// apply puts the flags that were given into a profile's options.
func (w *wishes) apply(c *cobra.Command, to *bundle.Options) {
	for name, set := range map[string]func(){
		"dtls":            func() { to.DTLS = w.of.DTLS },
		"kill-switch":     func() { to.KillSwitch = w.of.KillSwitch },
		"local-lan":       func() { to.LocalLAN = w.of.LocalLAN },
		"keep-seed":       func() { to.KeepSeed = w.of.KeepSeed },
		"proxy":           func() { to.Proxy = w.of.Proxy },
		"trusted-network": func() { to.TrustedNetworks, _ = w.networks() },
	} {
		if c.Flags().Changed(name) {
			set()
		}
	}
}

// networks are the trusted networks of the flags.
func (w *wishes) networks() (all []bundle.TrustedNetwork, _ error) {
	for _, text := range w.trusted {
		if text == "" {
			continue
		}
		n, err := bundle.ParseTrusted(text)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// may refuses what is not the person's to say, and asks for what needs a permission.
func (w *wishes) may(c *cobra.Command, h *user.Home, p profile.Profile) error {
	if c.Flags().Changed("keep-seed") && p.Signer != "" {
		return profile.ErrOperator
	}
	if _, err := w.networks(); err != nil {
		return err
	}
	if w.of.LocalLAN {
		return h.Permitted(policy.LocalNetwork)
	}
	return nil
}

func (o *options) showProfile() *cobra.Command {
	return &cobra.Command{
		Use: "show PROFILE", Short: "Everything that a profile holds", Args: cobra.ExactArgs(1), ValidArgsFunction: o.profileNames,
		RunE: func(_ *cobra.Command, args []string) error {
			return o.with(args, func(_ *user.Home, p profile.Profile) error {
				return o.printJSON(p) // every field is shown, and a new one is not forgotten
			})
		},
	}
}

func (o *options) removeProfile() *cobra.Command {
	sure := false
	c := &cobra.Command{
		Use: "remove PROFILE", Short: "Disconnect and delete a profile and its keys", Args: cobra.ExactArgs(1), ValidArgsFunction: o.profileNames,
		RunE: func(c *cobra.Command, args []string) error {
			return o.with(args, func(h *user.Home, p profile.Profile) error {
				if err := o.confirm(sure, o.say("profiles.remove", "name", user.Clean(p.Name))); err != nil {
					return err
				}
				return h.Remove(c.Context(), p)
			})
		},
	}
	c.Flags().BoolVarP(&sure, "yes", "y", false, "do not ask")
	return c
}

// with opens the person's things and finds the profile that is named, or the only
// one.
func (o *options) with(args []string, act func(*user.Home, profile.Profile) error) error {
	h, err := o.home(user.Person{})
	if err != nil {
		return err
	}
	p, err := o.one(h, args)
	if err != nil {
		return err
	}
	return act(h, p)
}

// confirm asks before what hurts.
func (o *options) confirm(sure bool, question string) error {
	if sure {
		return nil
	}
	ok, err := o.yes(question)
	if err == nil && !ok {
		err = quiet(exitFailed)
	}
	return err
}

// giveCertificate puts a certificate into a profile and its key into the key store.
func (o *options) giveCertificate(c *cobra.Command, h *user.Home, name, certificate, key string) error {
	text, err := local.Given(c.Context(), certificate, maxPEM)
	if err != nil {
		return err
	}
	defer clear(text)
	keys, err := h.Keys(c.Context())
	if err != nil {
		return err
	}
	if key == "" { // both are in one file
		phrase, err := o.secret(o.say("ask.bundle_passphrase"))
		if err != nil {
			return err
		}
		defer clear(phrase)
		_, err = h.Profiles.SetIdentity(name, "", bundle.Key{PKCS12: base64.StdEncoding.EncodeToString(text)}, string(phrase), keys)
		return err
	}
	pem, err := local.Given(c.Context(), key, maxPEM)
	if err != nil {
		return err
	}
	defer clear(pem)
	_, err = h.Profiles.SetIdentity(name, string(text), bundle.Key{PKCS8: string(pem)}, "", keys)
	return err
}
