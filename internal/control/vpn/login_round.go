package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/softtoken"
)

// nextCodeAfter is after how many failures one code of a software token is not
// enough: the code that follows it is asked for too. So is it for a code that
// is further away than a clock usually is.
const nextCodeAfter = 3

// awaits is what a conversation waits for.
//
// openconnect with a software token asks for a PIN and fills any field named
// "password" or "answer" with PIN and code in one, that of the first form as
// well. The password is that PIN; who gives none is asked for it afterwards. So
// with such a token there are three ways:
//
//	main ─password─▶ code ──────────▶ granted
//	  │                └─▶ next ────▶ granted
//	  ├─password and code ──────────▶ granted
//	  │                └─▶ next ────▶ granted
//	  └─code─▶ password ────────────▶ granted
//	     └─▶ nextFirst ─▶ password ─▶ granted
//
// "next" is the code after the one that was shown; openconnect knows the round
// by the words "next tokencode".
type awaits string

const (
	awaitsCode      awaits = "code"       // the password was right
	awaitsNext      awaits = "next"       // password and a code were right
	awaitsNextFirst awaits = "next_first" // a code was right
	awaitsPassword  awaits = "password"   // the code or codes were right
)

// conversation is a login between two rounds.
type conversation struct {
	client  string
	version int64  // of the client, whose factors were right
	pair    string // origin
	group   string
	awaits  awaits
	code    found     // the code that was right, once there is one
	until   time.Time // its end; zero for one that is about to begin
}

// form is what the person fills in next.
func (v conversation) form(c SSLClient, problem string) *gwlink.Form {
	f := &gwlink.Form{ID: "challenge", Message: "Enter the dynamic code.", Error: problem}
	field := gwlink.Field{Name: "secondary_password", Label: "Dynamic code:", Kind: "password"}
	if c.Token == TokenStoken {
		field.Name = "answer"
	}
	switch v.awaits {
	case awaitsNext, awaitsNextFirst:
		f.Message = "Wait until the code changes, then enter the next tokencode."
	case awaitsPassword:
		f.ID, f.Message = "main", "Enter your password."
		field.Name, field.Label = "password", "Password:"
	case awaitsCode:
	}
	f.Fields = []gwlink.Field{field}
	return f
}

// proceed opens a conversation after something right. The attempt just counted
// is given back, but earlier ones stay until the whole login has succeeded.
func (l login) proceed(ctx context.Context, c SSLClient, o origin, v conversation, problem string) (gwlink.LoginAnswer, error) {
	return l.converse(ctx, c, o, v, problem, func(tx *db.Tx) error { return giveBack(ctx, tx, o) })
}

// again repeats the question after something wrong, in a new conversation that
// ends with the one before, or ends at once.
func (l login) again(ctx context.Context, c SSLClient, o origin, n int64, v conversation) (gwlink.LoginAnswer, error) {
	if n >= attemptsAllowed {
		return l.failed(ctx, c, o, n, gwlink.LoginAnswer{})
	}
	a, err := l.converse(ctx, c, o, v, textFailed, func(*db.Tx) error { return nil })
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	return l.failed(ctx, c, o, n, a)
}

func (l login) converse(ctx context.Context, c SSLClient, o origin, v conversation, problem string, also func(tx *db.Tx) error) (gwlink.LoginAnswer, error) {
	name := "vcv_" + id.Random(20)
	if v.until.IsZero() {
		v.until = l.now.Add(challengeLife)
	}
	if l.page != nil {
		l.page.asks(v.awaits)
	}
	err := l.s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := also(tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO vpn_conversation (id, server, client, version, origin, expires_at, awaits, step, drift, chosen_group)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			name, l.server.ID, c.ID, c.Version, o.pair, db.Micros(v.until), string(v.awaits), v.code.step, v.code.drift, l.request.Group)
		return err
	})
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Conversation: name, Form: v.form(c, problem)}, nil
}

// withCode is the first form when what was typed is not the password: it may be
// password and code in one, or a code alone. No password looks like a code.
func (l login) withCode(ctx context.Context, c SSLClient, o origin, n int64, typed string) (gwlink.LoginAnswer, error) {
	pin, code, ok := softtoken.Split(typed)
	if !ok {
		return l.failed(ctx, c, o, n, l.mainForm(textFailed))
	}
	able, err := l.belongs(ctx, c)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	able = able && c.Token == TokenStoken && c.HasToken && l.needsCode(c)
	ok, err = l.verifyPIN(ctx, c, pin, able)
	if err == nil && !ok && pin == "" {
		err = l.matchNobody(ctx, code)
	}
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.failed(ctx, c, o, n, l.mainForm(textFailed))
	}
	f, ok, err := l.matchCode(ctx, c, code)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	further := !f.near || n > nextCodeAfter
	switch {
	case !ok:
		return l.failed(ctx, c, o, n, l.mainForm(textFailed))
	case pin == "" && further:
		return l.proceed(ctx, c, o, conversation{awaits: awaitsNextFirst, code: f}, "")
	case pin == "":
		return l.proceed(ctx, c, o, conversation{awaits: awaitsPassword, code: f}, "")
	case further:
		return l.proceed(ctx, c, o, conversation{awaits: awaitsNext, code: f}, "")
	}
	return l.finish(ctx, c, o, n, conversation{code: f})
}

// verifyPIN compares what stands before the code with the password. It costs
// the same whether or not there is such a client with such a token. So does a
// code alone, of which matchCode or matchNobody follows.
func (l login) verifyPIN(ctx context.Context, c SSLClient, pin string, able bool) (bool, error) {
	switch {
	case pin == "":
		return able, nil
	case !able:
		return false, l.s.hasher.VerifyAbsent(ctx, pin)
	}
	return l.verify(ctx, c, pin)
}

// next is a round after the first. The conversation is consumed before anything
// is compared, so that one conversation is one try.
func (l login) next(ctx context.Context) (gwlink.LoginAnswer, error) {
	if len(l.typed()) > 256 {
		return gwlink.LoginAnswer{}, ErrLogin
	}
	c, o, v, err := l.consume(ctx)
	if errs.IsNotFound(err) {
		return l.expired(), nil
	}
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	l.request.Group = v.group // chosen in the first form
	n, err := l.s.countAttempt(ctx, o, l.now)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if n > attemptsAllowed {
		return l.locked(ctx, o)
	}
	ok, err := l.belongs(ctx, c)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.again(ctx, c, o, n, v) // what was not proven before is not proven by a failure
	}
	switch v.awaits {
	case awaitsPassword:
		return l.passwordAfter(ctx, c, o, n, v)
	case awaitsNext, awaitsNextFirst:
		return l.nextCode(ctx, c, o, n, v)
	case awaitsCode:
		return l.code(ctx, c, o, n, v)
	}
	return l.expired(), nil
}

// code is the round of the code after the password. A recovery code is as good.
func (l login) code(ctx context.Context, c SSLClient, o origin, n int64, v conversation) (gwlink.LoginAnswer, error) {
	v.awaits = awaitsCode
	code, ok, err := l.afterPIN(ctx, c, l.typed())
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.byRecovery(ctx, c, o, n, v)
	}
	if v.code, ok, err = l.matchCode(ctx, c, code); err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.again(ctx, c, o, n, v)
	}
	if c.Token == TokenStoken && (!v.code.near || n > nextCodeAfter) {
		return l.proceed(ctx, c, o, conversation{awaits: awaitsNext, code: v.code}, "")
	}
	return l.finish(ctx, c, o, n, v)
}

// afterPIN is the code in what was typed: openconnect writes the PIN before that
// of a software token. ok is false if it is none, a recovery code perhaps.
func (l login) afterPIN(ctx context.Context, c SSLClient, typed string) (code string, ok bool, err error) {
	if c.Token != TokenStoken {
		return typed, len(recoveryText(typed)) != recoveryLength, nil
	}
	pin, code, ok := softtoken.Split(typed)
	if !ok || pin == "" {
		return code, ok, nil
	}
	ok, err = l.verify(ctx, c, pin)
	return code, ok, err
}

// byRecovery takes what was typed in place of a code for a recovery code.
func (l login) byRecovery(ctx context.Context, c SSLClient, o origin, n int64, v conversation) (gwlink.LoginAnswer, error) {
	f, ok, err := l.recovery(ctx, c, l.typed())
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.again(ctx, c, o, n, v)
	}
	v.code = f
	return l.finish(ctx, c, o, n, v)
}

// nextCode is the round of the code that follows the one before.
func (l login) nextCode(ctx context.Context, c SSLClient, o origin, n int64, v conversation) (gwlink.LoginAnswer, error) {
	plain, err := l.s.open(ctx, loginReader, c, "totp_sealed")
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	_, code, _ := softtoken.Split(l.typed()) // the PIN was right before
	ok, err := c.follows(string(plain["totp_sealed"]), code, v.code.step)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	switch {
	case !ok && v.awaits == awaitsNext:
		return l.again(ctx, c, o, n, conversation{awaits: awaitsCode, until: v.until})
	case !ok:
		return l.failed(ctx, c, o, n, l.mainForm(textFailed))
	}
	v.code.step++
	if v.awaits == awaitsNextFirst {
		return l.proceed(ctx, c, o, conversation{awaits: awaitsPassword, code: v.code}, "")
	}
	return l.finish(ctx, c, o, n, v)
}

// passwordAfter is the round of the password after the code.
func (l login) passwordAfter(ctx context.Context, c SSLClient, o origin, n int64, v conversation) (gwlink.LoginAnswer, error) {
	ok, err := l.verify(ctx, c, l.typed())
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.again(ctx, c, o, n, v)
	}
	return l.finish(ctx, c, o, n, v)
}

// finish grants, unless another login has spent the code meanwhile: then another
// is asked for.
func (l login) finish(ctx context.Context, c SSLClient, o origin, n int64, v conversation) (gwlink.LoginAnswer, error) {
	answer, err := l.grant(ctx, c, o, v.code)
	if !isUsed(err) {
		return answer, err
	}
	return l.again(ctx, c, o, n, conversation{awaits: awaitsCode, until: v.until})
}

func (l login) matchCode(ctx context.Context, c SSLClient, typed string) (found, bool, error) {
	plain, err := l.s.open(ctx, loginReader, c, "totp_sealed")
	if err != nil {
		return found{}, false, err
	}
	return c.match(string(plain["totp_sealed"]), typed, l.now)
}

// typed finds what was typed under the names that clients give the field.
func (l login) typed() string {
	for _, name := range []string{"secondary_password", "answer", "password"} {
		if v := l.request.Fields[name]; v != "" {
			return v
		}
	}
	return ""
}

// consume takes the conversation away; NotFound if it is not this server's, of
// another source, over, already taken, or of a client that has changed since: a
// reset leaves nothing proven.
func (l login) consume(ctx context.Context) (c SSLClient, o origin, v conversation, err error) {
	err = l.s.db.InTx(ctx, func(tx *db.Tx) error {
		v, err = db.Get(ctx, tx, ErrClientNotFound, scanConversation,
			"DELETE FROM vpn_conversation WHERE id = $1 AND server = $2 AND expires_at > $3 RETURNING client, version, origin, expires_at, awaits, step, drift, chosen_group",
			l.request.Conversation, l.server.ID, db.Micros(l.now))
		return err
	})
	if err != nil {
		return c, o, v, err
	}
	if c, err = clientByID(ctx, l.s.db, v.client); err != nil {
		return c, o, v, err
	}
	o, err = l.origin(ctx, c.Name)
	if err == nil && (o.pair != v.pair || c.Version != v.version) {
		err = ErrClientNotFound
	}
	return c, o, v, err
}

func scanConversation(r db.Row) (v conversation, err error) {
	var until int64
	err = r.Scan(&v.client, &v.version, &v.pair, &until, &v.awaits, &v.code.step, &v.code.drift, &v.group)
	v.until = db.FromMicros(until)
	return v, err
}
