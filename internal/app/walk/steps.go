package walk

import "context"

// steps is the path, in order.
func (w *walker) steps() []step {
	all := []step{
		{"read the policy and register", w.register},
		{"confirm the e-mail address", w.verifyMail},
		{"sign in", w.signIn},
	}
	if w.Mainland {
		all = append(all, step{"an order without real name is refused", w.refused}, step{"real-name verification", w.realName})
	}
	all = append(all,
		step{"quote and order", w.place},
		step{"pay at the cashier", w.pay},
		step{"gateway delivered", w.delivered},
		step{"SSL server, certified by its node", w.makeServer},
		step{"SSL client", w.makeClient},
		step{"download the client's bundle", w.download},
	)
	if !w.NoTunnel {
		all = append(all, w.tunnelSteps()...)
	}
	if w.Leave {
		all = append(all, step{leaveStep, w.leave}, step{"erased, searched and certified", w.erased})
	}
	return all
}

const leaveStep = "close the account"

// tunnelSteps connect over TLS with certificate, password and code, and over
// DTLS with a password alone.
func (w *walker) tunnelSteps() []step {
	var t *tunnel
	open := func(established string, args ...string) func(context.Context) error {
		return func(ctx context.Context) (err error) {
			t, err = w.dial(ctx, established, args...)
			return err
		}
	}
	return []step{
		{"openconnect over TLS", open("Configured as", "--no-dtls")},
		{"100 MB through the tunnel", w.through},
		{"session and bytes show in the API", w.seen},
		{"hang up", func(context.Context) error { return t.close() }},
		{"let a password alone suffice", w.passwordOnly},
		{"another SSL client", w.makeClient},
		{"download its bundle", w.download},
		{"openconnect over DTLS", open("Established DTLS connection")},
		{"100 MB through the tunnel", w.through},
		{"session and bytes show in the API", w.seen},
		{"disconnected on the console within 2 s", func(ctx context.Context) error { return w.disconnected(ctx, t) }},
	}
}
