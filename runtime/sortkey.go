package es

import "time"

// The functions of this file append an encoding whose bytes order as the values do.

// AppendSortString orders by bytes, which is the order of code points.
func AppendSortString(dst []byte, s string) []byte { return dst }

// AppendSortInt orders by value.
func AppendSortInt(dst []byte, n int64) []byte { return dst }

// AppendSortBool orders false before true.
func AppendSortBool(dst []byte, b bool) []byte { return dst }

// AppendSortUUID orders by bytes.
func AppendSortUUID(dst []byte, u UUID) []byte { return dst }

// AppendSortDate orders by day.
func AppendSortDate(dst []byte, d Date) []byte { return dst }

// AppendSortDecimal orders by value: 1.5 and 1.50 are equal.
func AppendSortDecimal(dst []byte, x Decimal) []byte { return dst }

// AppendSortTime orders by instant, whatever the offset.
func AppendSortTime(dst []byte, t time.Time) []byte { return dst }
