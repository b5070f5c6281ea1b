package account

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

//go:embed common.txt
var commonFile []byte

var common = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, line := range bytes.Fields(commonFile) {
		all[string(line)] = true
	}
	return all
})

// Bounds of a password, in characters and bytes.
const (
	MinPassword = 10
	maxPassword = 1024
)

// Errors of the password policy.
var (
	ErrPasswordShort   = errs.New(errs.Unprocessable, "account.password_too_short").With("min", MinPassword)
	ErrPasswordLong    = errs.New(errs.Invalid, "account.password_too_long")
	ErrPasswordCommon  = errs.New(errs.Unprocessable, "account.password_common")
	ErrPasswordSimilar = errs.New(errs.Unprocessable, "account.password_similar")
)

// checkPassword holds a new password to the policy: long enough, not among the
// common ones, not like the name or the address. There are no rules about
// kinds of characters.
func checkPassword(pw string, like ...string) error {
	switch {
	case len(pw) > maxPassword:
		return ErrPasswordLong
	case !utf8.ValidString(pw) || utf8.RuneCountInString(pw) < MinPassword:
		return ErrPasswordShort
	case isCommon(pw):
		return ErrPasswordCommon
	}
	for _, other := range like {
		local, _, _ := strings.Cut(other, "@")
		if similar(pw, other) || similar(pw, local) {
			return ErrPasswordSimilar
		}
	}
	return nil
}

// isCommon looks the password up, also without digits and signs at its end and
// when it is a short string repeated.
func isCommon(pw string) bool {
	low := strings.ToLower(pw)
	stem := strings.TrimRight(low, "0123456789!@#$%^&*.?_-")
	if common()[low] || (len(stem) >= 4 && common()[stem]) {
		return true
	}
	for n := 1; n <= 4 && n < len(low); n++ {
		if strings.Repeat(low[:n], len(low)/n+1)[:len(low)] == low {
			return true
		}
	}
	return false
}

// similar: the longest common substring is more than half of the password, or
// fewer than five edits lead from one to the other.
func similar(pw, other string) bool {
	a, b := []rune(strings.ToLower(pw)), []rune(strings.ToLower(other))
	if len(b) < 3 || len(b) > 256 || len(a) > 256 {
		return false
	}
	return 2*longestCommon(a, b) > len(a) || editDistance(a, b) < 5
}

func longestCommon(a, b []rune) int {
	row, best := make([]int, len(b)+1), 0
	for i := range a {
		diagonal := 0
		for j := range b {
			next := row[j+1]
			row[j+1] = 0
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			}
			best, diagonal = max(best, row[j+1]), next
		}
	}
	return best
}

func editDistance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			next, cost := row[j+1], 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(next+1, row[j]+1, diagonal+cost)
			diagonal = next
		}
	}
	return row[len(b)]
}

// hashWait is how long a hash waits for its turn.
const hashWait = 5 * time.Second

func (s *Service) hash(ctx context.Context, pw string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	h, err := s.d.Hasher.Hash(ctx, norm.NFC.String(pw))
	if errors.Is(err, context.DeadlineExceeded) {
		return "", ErrBusy
	}
	return h, err
}

// verify compares a password with a stored hash; an empty hash stands for an
// unknown person and costs the same.
func (s *Service) verify(ctx context.Context, stored, pw string) (bool, error) {
	if len(pw) > maxPassword {
		return false, ErrPasswordLong
	}
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	var ok bool
	var err error
	if stored == "" {
		err = s.d.Hasher.VerifyAbsent(ctx, norm.NFC.String(pw))
	} else {
		ok, err = s.d.Hasher.Verify(ctx, stored, norm.NFC.String(pw))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return false, ErrBusy
	}
	return ok && err == nil, err
}

// confirmPassword checks the password of a signed-in person, counted like a login.
func (s *Service) confirmPassword(ctx context.Context, p person, pw string, src Source) error {
	o, err := s.origin(ctx, p.nameKey, src)
	if err != nil {
		return err
	}
	row, err := s.enter(ctx, "login", o)
	if err != nil {
		return err
	}
	ok, err := s.verify(ctx, p.password, pw)
	if err != nil {
		return err
	}
	if !ok {
		return errs.New(errs.Forbidden, "account.wrong_password")
	}
	return s.forget(ctx, row)
}

// ChangePassword changes the password, ends all other sessions and returns the
// new token of this one.
func (s *Service) ChangePassword(ctx context.Context, p Principal, old, fresh string, src Source) (string, error) {
	who, err := personBy(ctx, s.d.DB, "subject", string(p.Subject))
	if err != nil {
		return "", err
	}
	if err := s.confirmPassword(ctx, who, old, src); err != nil {
		return "", err
	}
	if err := checkPassword(fresh, who.name); err != nil {
		return "", err
	}
	hash, err := s.hash(ctx, fresh)
	if err != nil {
		return "", err
	}
	token := id.Random(32)
	return token, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := s.setPasswordTx(ctx, tx, who, hash, p.Session, "account.password_changed"); err != nil {
			return err
		}
		return rotate(ctx, tx, p.Session, token)
	})
}

func (s *Service) setPasswordTx(ctx context.Context, tx *db.Tx, who person, hash, keep, kind string) error {
	now := s.d.Clock.Now()
	err := tx.ExecOne(ctx, db.ErrRetry, "UPDATE account_person SET password = $1, password_at = $2 WHERE subject = $3", hash, db.Micros(now), string(who.subject))
	if err != nil {
		return err
	}
	if err := revokeSessions(ctx, tx, who.subject, keep, "password_changed", now); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE account_token SET used_at = $1 WHERE subject = $2 AND kind = 'reset' AND used_at = 0", db.Micros(now), string(who.subject)); err != nil {
		return err
	}
	if err := s.leaf(ctx, tx, kind, who, keep, nil); err != nil {
		return err
	}
	return s.publish(ctx, tx, TopicPasswordChanged, who, kind)
}
