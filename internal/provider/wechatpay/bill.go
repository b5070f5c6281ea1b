package wechatpay

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/bill"
)

// Columns of the bill of trades that are read; those about the payer are not.
const (
	colTime     = "交易时间"
	colTrade    = "微信订单号"
	colAttempt  = "商户订单号"
	colState    = "交易状态"
	colBack     = "退款状态" // of a refund; empty in bills of before
	colRefundNo = "商户退款单号"
	colTotal    = "订单金额"
	colRefund   = "申请退款金额"
	colFee      = "手续费"
)

var columns = []string{colTime, colTrade, colAttempt, colState, colRefundNo, colTotal, colRefund, colFee}

// Bill fetches the bill of a day's trades. It is there on the next day after ten
// o'clock and for three months. The file is not signed: its SHA-1 before it was
// packed, which stands in the signed answer, proves it when it was read whole.
func (g *Gateway) Bill(ctx context.Context, day time.Time, each func(payment.BillRow) error) error {
	permit, err := g.permits.Collect(Recipient, "bill")
	if err != nil {
		return err
	}
	var a struct {
		HashType string `json:"hash_type"`
		Hash     string `json:"hash_value"`
		URL      string `json:"download_url"`
	}
	query := url.Values{"bill_date": {day.In(beijing).Format(time.DateOnly)}, "bill_type": {"ALL"}, "tar_type": {"GZIP"}}
	err = g.ask(ctx, permit, request{method: http.MethodGet, query: query, into: &a})
	if finish := permit.Finish(ctx, permit.OutcomeOf(err)); err != nil || finish != nil {
		return errors.Join(err, finish)
	}
	u, err := url.Parse(a.URL)
	if err != nil || a.HashType != "SHA1" || len(a.Hash) != 2*sha1.Size {
		return fmt.Errorf("%w: no address or no digest of a bill", payment.ErrTemporary)
	}
	return g.file(ctx, u.Query().Get("token"), a.Hash, each)
}

func (g *Gateway) file(ctx context.Context, token, hash string, each func(payment.BillRow) error) error {
	permit, err := g.permits.Collect(Recipient, "bill_file")
	if err != nil {
		return err
	}
	defer func() { _ = permit.Finish(ctx, egress.Done) }() // of what is collected nothing is recorded
	resp, err := g.send(ctx, permit, request{method: http.MethodGet, query: url.Values{"token": {token}}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: reading a bill, status %d", payment.ErrTemporary, resp.StatusCode)
	}
	plain, err := unpacked(resp.Body)
	if err != nil {
		return err
	}
	digest := sha1.New()
	body := io.TeeReader(plain, digest)
	if err := readBill(body, each); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return fmt.Errorf("%w: %w", payment.ErrTemporary, err)
	}
	if !strings.EqualFold(hex.EncodeToString(digest.Sum(nil)), hash) {
		return fmt.Errorf("%w: the bill is not the one that was announced", payment.ErrBadSignature)
	}
	return nil
}

// unpacked reads a file that is packed as it was asked for, or is not. One that is
// more than a bill can be unpacked ends early, and is not the one announced.
func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if head, err := b.Peek(2); err != nil || head[0] != 0x1f || head[1] != 0x8b {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("%w: the bill is not packed as it says", payment.ErrTemporary)
	}
	return io.LimitReader(z, egress.MaxFile), nil
}

// readBill reads lines until the sums at the end, whose heading has no backtick.
func readBill(r io.Reader, each func(payment.BillRow) error) error {
	err := bill.Read(r, columns, func(row bill.Row) error {
		if !strings.HasPrefix(row.Raw(), "`") {
			return io.EOF
		}
		b, ok, err := billRow(row)
		if err != nil || !ok {
			return err
		}
		return each(b)
	})
	if errors.Is(err, bill.ErrForm) {
		return fmt.Errorf("%w: %w", payment.ErrTemporary, err)
	}
	return err
}

// billRow reads a payment or a refund; other states move no money.
func billRow(row bill.Row) (b payment.BillRow, ok bool, err error) {
	b = payment.BillRow{TradeNo: row.Cell(colTrade), AttemptNo: row.Cell(colAttempt)}
	column := colTotal
	switch row.Cell(colState) {
	case "SUCCESS":
	case "REFUND":
		if back := row.Cell(colBack); back != "" && back != "SUCCESS" { // on its way, or it came to nothing
			return b, false, nil
		}
		b.RefundNo, column = row.Cell(colRefundNo), colRefund
	default:
		return b, false, nil
	}
	if t, err := time.ParseInLocation(time.DateTime, row.Cell(colTime), beijing); err == nil {
		b.At = t.UTC()
	}
	if b.Amount, err = row.Money(column); err != nil {
		return b, false, err
	}
	if b.Fee, err = row.Money(colFee); err != nil {
		return b, false, err
	}
	if !number(b.TradeNo) || b.Amount.Minor <= 0 {
		return b, false, fmt.Errorf("%w: a line without trade or amount", bill.ErrForm)
	}
	return b, true, nil
}
