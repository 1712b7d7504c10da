// Precompiled for every test executable.
#pragma once
#include "pch.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
