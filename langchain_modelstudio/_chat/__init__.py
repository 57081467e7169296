"""Chat: conversion of messages, tools, schemas and answers."""
