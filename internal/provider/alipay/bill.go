package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/bill"
)

// Columns of the bill of trades that are read; those about the payer are not.
const (
	colTrade   = "支付宝交易号"
	colAttempt = "商户订单号"
	colKind    = "业务类型"
	colDone    = "完成时间"
	colAmount  = "订单金额（元）"
	colRefund  = "退款批次号/请求号"
	colFee     = "服务费（元）"
)

var columns = []string{colTrade, colAttempt, colKind, colDone, colAmount, colRefund}

// Bill fetches the bill of a day's trades: an address that works for half a
// minute, and there a ZIP of comma-separated files in GBK. It is there on the next
// day after ten o'clock.
func (g *Gateway) Bill(ctx context.Context, day time.Time, each func(payment.BillRow) error) error {
	address, err := g.billAddress(ctx, day)
	if err != nil {
		return err
	}
	file, err := g.fetch(ctx, address)
	if err != nil {
		return err
	}
	return readBill(file, each)
}

func (g *Gateway) billAddress(ctx context.Context, day time.Time) (*url.URL, error) {
	permit, err := g.permits.Collect(Recipient, "bill")
	if err != nil {
		return nil, err
	}
	content := map[string]string{"bill_type": "trade", "bill_date": day.In(beijing).Format(time.DateOnly)}
	a, err := g.ask(ctx, permit, "alipay.data.dataservice.bill.downloadurl.query", content, nil)
	if finish := permit.Finish(ctx, permit.OutcomeOf(err)); finish != nil {
		return nil, errors.Join(err, finish)
	}
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(a.BillURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: no address of a bill", payment.ErrTemporary)
	}
	return u, nil
}

// fetch reads the file at the registered host, whatever host the answer names.
// The file is proven whole by the sums in it; what is in memory goes when it is
// read.
func (g *Gateway) fetch(ctx context.Context, address *url.URL) ([]byte, error) {
	permit, err := g.permits.Collect(BillRecipient, "file")
	if err != nil {
		return nil, err
	}
	defer func() { _ = permit.Finish(ctx, egress.Done) }() // of what is collected nothing is recorded
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, permit.URL()+"?"+address.RawQuery, nil)
	if err != nil {
		return nil, payment.ErrTemporary
	}
	resp, err := permit.Client().Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", payment.ErrTemporary, bare(err))
	}
	defer resp.Body.Close()
	file, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: reading a bill, status %d", payment.ErrTemporary, resp.StatusCode)
	}
	return file, nil
}

func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// readBill reads the one file of the archive that lists trades; another sums them
// up.
func readBill(file []byte, each func(payment.BillRow) error) error {
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return fmt.Errorf("%w: not an archive", payment.ErrTemporary)
	}
	for _, f := range archive.File {
		err := readFile(f, each)
		if !errors.Is(err, bill.ErrForm) {
			return err
		}
	}
	return fmt.Errorf("%w: no list of trades in the archive", payment.ErrTemporary)
}

func readFile(f *zip.File, each func(payment.BillRow) error) error {
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("%w: the archive is damaged", payment.ErrTemporary)
	}
	defer r.Close()
	text := simplifiedchinese.GBK.NewDecoder().Reader(io.LimitReader(r, egress.MaxFile))
	return bill.Read(text, columns, func(row bill.Row) error {
		if strings.HasPrefix(row.Raw(), "#") {
			return nil
		}
		b, err := billRow(row)
		if err != nil {
			return err
		}
		return each(b)
	})
}

func billRow(row bill.Row) (payment.BillRow, error) {
	b := payment.BillRow{TradeNo: row.Cell(colTrade), AttemptNo: row.Cell(colAttempt), At: at(row.Cell(colDone))}
	if row.Cell(colKind) == "退款" {
		b.RefundNo = row.Cell(colRefund)
	}
	var err error
	if b.Amount, err = row.Money(colAmount); err != nil {
		return b, fmt.Errorf("%w: %w", payment.ErrTemporary, err)
	}
	if b.Fee, err = row.Money(colFee); err != nil {
		return b, fmt.Errorf("%w: %w", payment.ErrTemporary, err)
	}
	if !numbers(b.TradeNo) || b.Amount.Minor <= 0 {
		return b, fmt.Errorf("%w: a line without trade or amount", payment.ErrTemporary)
	}
	return b, nil
}
