package consent

import (
	"errors"
	"fmt"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Declared holds the data map to the platform policy of a profile: nothing is
// kept, and nothing is done with it, that the text does not say. The process asks
// it before it listens, so that a release whose tables know more than its text
// does not start.
func Declared(profile string, tables []holding.Table) error {
	policy, err := loadText(DocPlatform, Locales[0], profile)
	if err != nil {
		return err
	}
	var wrong []error
	for _, t := range tables {
		for _, c := range t.Columns {
			if c.Category == "" {
				continue
			}
			for _, what := range undeclared(policy, t.Name, c) {
				wrong = append(wrong, fmt.Errorf("column %s.%s: %s", t.Name, c.Name, what))
			}
		}
		wrong = append(wrong, sessionLog(t)...)
	}
	return errors.Join(wrong...)
}

// sensitive are the kinds that the text promises to keep sealed (LT-5.2b).
var sensitive = []holding.Category{holding.Email, holding.Phone, holding.QQ, holding.Area, holding.IDName, holding.IDNumber, holding.NetIP, holding.NetPage, holding.AccountSecret}

// logPurposes are all that logs serve (LT-1.3b), orderPurposes all that orders
// do (LT-1.1d).
var (
	logPurposes   = []string{"security_audit", "anti_abuse", "troubleshooting", "log_retention"}
	orderPurposes = []string{"dispute", "finance_audit", "aftersales"}
)

// optional are the kinds that a person may add, by the purpose of their act
// (LT-1.2b).
var optional = map[holding.Category]string{holding.Phone: "contact.phone", holding.QQ: "contact.qq", holding.Area: "contact.region"}

func undeclared(policy source, table string, c holding.Column) (wrong []string) {
	if !slices.Contains(policy.Collects, string(c.Category)) && !mutant.Off("LT-1.2") {
		wrong = append(wrong, fmt.Sprintf("the policy does not say that %s is collected: its head and words come first", c.Category))
	}
	if p := other(c.Purposes, policy.Purposes); p != "" {
		wrong = append(wrong, fmt.Sprintf("the policy does not say that anything serves %s", p))
	}
	if slices.Contains(sensitive, c.Category) && !c.Sealed && !mutant.Off("LT-5.2b") {
		wrong = append(wrong, fmt.Sprintf("%s is not sealed", c.Category))
	}
	if of := optional[c.Category]; of != "" && !mutant.Off("LT-1.2b") {
		if p := other(c.Purposes, append(UsesOf(of), of)); p != "" {
			wrong = append(wrong, fmt.Sprintf("%s serves %s, which its act does not name", c.Category, p))
		}
	}
	switch {
	case c.Retention == "netlog" || c.Retention == "access_log":
		if p := other(c.Purposes, logPurposes); p != "" && !mutant.Off("LT-1.3b") {
			wrong = append(wrong, "a log that serves "+p)
		}
	case table == "order_order" || table == "order_line":
		if p := other(c.Purposes, orderPurposes); p != "" && !mutant.Off("LT-1.1d") {
			wrong = append(wrong, "an order that serves "+p)
		}
	}
	return wrong
}

// other is the first of some purposes that is not among all; empty if none.
func other(some, all []string) string {
	for _, p := range some {
		if !slices.Contains(all, p) {
			return p
		}
	}
	return ""
}

// sessionColumns are all that is kept of a VPN session (SUP-6, SUP-7): start,
// end, handle, source, gateway, inner address, bytes in and out, reason.
var sessionColumns = []string{"id", "client", "gateway", "source_ip", "inner_address", "started_at", "ended_at", "reason", "bytes_in", "bytes_out"}

func sessionLog(t holding.Table) (wrong []error) {
	if t.Name != "fleet_session" || mutant.Off("SUP-6") {
		return nil
	}
	for _, c := range t.Columns {
		if !slices.Contains(sessionColumns, c.Name) {
			wrong = append(wrong, fmt.Errorf("column %s.%s: the text says exactly what is kept of a session, and not this", t.Name, c.Name))
		}
	}
	return wrong
}
