"""What each target can hold: descriptions as data and pure functions; HTTP lives in ``dialproof_deploy.targets``."""
