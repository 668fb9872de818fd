"""What an app is, on disk: one service per thing an app has."""
