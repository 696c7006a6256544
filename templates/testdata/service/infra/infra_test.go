package main

import "testing"

func TestPlaceholder(t *testing.T) {}
